import Table from 'cli-table3';
import { openCheckpointFolder } from '@essaim/files';
import { readTextModel } from '@essaim/tokenizer';
import { describeCommit, describeMachine, type Machine } from '../machine.ts';
import { type BenchOptions, upOptions } from '../options.ts';
import { seededRandom } from '../random.ts';
import { machineLine, writeJson } from '../report.ts';
import { CASES } from './cases.ts';
import { type GrammarFigures, type MaskTimes, measureGrammar } from './measure.ts';
import { tallVocabulary, VOCAB_SIZE } from './vocabulary.ts';

/** What one run found out, as the JSON file holds it. */
export interface GrammarResult {
  readonly benchmark: 'grammar';
  readonly commit: string;
  readonly machine: Machine;
  readonly vocabSize: number;
  readonly rows: readonly ({ readonly name: string } & GrammarFigures)[];
}

const SEED = 1;

/** `essaim bench grammar`: what it costs to hold an answer to a schema or a pattern, over a vocabulary as tall as Mistral's, in this process. */
export async function runGrammarBench({ jsonFile }: BenchOptions): Promise<void> {
  const [machine, commit] = [describeMachine(), describeCommit()];
  const random = seededRandom(SEED);
  const vocabulary = tallVocabulary(await builtInTokens(), random);
  // Once before it counts: what runs for the first time is compiled meanwhile.
  for (const { constraint } of CASES) measureGrammar(constraint, { vocabulary, random });
  const rows = CASES.map(({ name, constraint }) => ({ name, ...measureGrammar(constraint, { vocabulary, random }) }));
  process.stdout.write(`${machineLine(machine, commit)}\nvocabulary ${VOCAB_SIZE}\n${grammarTable(rows)}\n`);
  const result: GrammarResult = { benchmark: 'grammar', commit, machine, vocabSize: VOCAB_SIZE, rows };
  if (jsonFile !== null) writeJson(jsonFile, result);
}

async function builtInTokens(): Promise<Uint8Array[]> {
  const folder = openCheckpointFolder(upOptions({}).model.directory);
  try {
    const { tokenizer } = await readTextModel(folder);
    return Array.from({ length: tokenizer.vocabSize }, (_, id) => tokenizer.tokenBytes(id)).filter((bytes) => bytes.length > 0);
  } finally {
    await folder.close();
  }
}

function grammarTable(rows: GrammarResult['rows']): string {
  const head = ['an answer that is', 'ms to compile', 'first answer, us a mask', 'most', 'next answer, us a mask', 'most'];
  const table = new Table({ head, style: { head: [], border: [], compact: true }, colAligns: head.map((_, column) => (column === 0 ? 'left' : 'right')) });
  const cells = ({ medianUs, maxUs }: MaskTimes): string[] => [figure(medianUs), figure(maxUs)];
  for (const { name, compileMs, first, next } of rows) table.push([name, figure(compileMs), ...cells(first), ...cells(next)]);
  return table.toString();
}

/** Two digits mean something here. */
const figure = (value: number): string => new Intl.NumberFormat('en', { maximumSignificantDigits: 2, useGrouping: false }).format(value);
