import { styleText } from 'node:util';
import Table from 'cli-table3';
import { type WorkerView } from './admin.ts';
import { progressLine } from './progress-line.ts';
import { tokensPerSecond, type Answer, type ReadyView, type Report } from './report.ts';

/** For people: results on stdout, everything else on stderr. */
export function textReport({ quiet }: { readonly quiet: boolean }): Report {
  let isInsideLine = false;
  const endLine = (): void => {
    if (isInsideLine) process.stdout.write('\n');
    isInsideLine = false;
  };
  const note = (line: string): void => {
    endLine();
    if (!quiet) process.stderr.write(`${line}\n`);
  };
  const progress = quiet ? null : progressLine(process.stderr);
  return {
    loading: progress && ((workers) => progress.show(workers)),
    loadingEnded: () => progress?.end(),
    ready: (view) => void process.stdout.write(`${readyScreen(view)}\n`),
    notice: note,
    piece: (text) => {
      process.stdout.write(text);
      if (text !== '') isInsideLine = !text.endsWith('\n');
    },
    answer: (answer) => note(`\n${summary(answer)}`),
  };
}

/** Styled where stdout is a terminal that wants it (NO_COLOR is heeded). */
const onScreen = (style: 'bold' | 'cyan' | 'dim', text: string): string => styleText(style, text, { stream: process.stdout });

function readyScreen({ model, addresses, epoch, workers }: ReadyView): string {
  const mode = model.deterministic ? ', deterministic' : '';
  const body = JSON.stringify({ model: model.id, prompt: 'Il était une fois', max_tokens: 40 });
  return [
    `${onScreen('bold', model.id)}  ${model.dtype}${mode}  ${onScreen('dim', model.directory)}`,
    '',
    `  OpenAI HTTP   ${onScreen('cyan', `${addresses.http}/v1`)}`,
    `  gRPC          ${onScreen('cyan', addresses.grpc)}  essaim.inference.v1, with reflection`,
    `  admin REST    ${onScreen('cyan', `${addresses.admin}/api/v1`)}  described at ${addresses.admin}/api/openapi.json`,
    '',
    `placement, epoch ${epoch}`,
    placementTable(workers),
    '',
    `curl ${addresses.http}/v1/completions -H 'content-type: application/json' -d '${body.replaceAll("'", String.raw`'\''`)}'`,
    '',
    onScreen('dim', 'Ctrl-C stops'),
  ].join('\n');
}

function placementTable(workers: readonly WorkerView[]): string {
  const table = new Table({ head: ['worker', 'pid', 'device', 'state', 'experts', 'memory'], style: { head: [], border: [], compact: true }, colAligns: ['left', 'right', 'left', 'left', 'right', 'right'] });
  for (const worker of workers) table.push([worker.id, worker.pid, worker.device, worker.state, worker.experts, megabytes(worker.residentBytes)]);
  return table.toString();
}

function summary({ stats, ...answer }: Answer): string {
  const expertCalls = stats.localExpertCalls + stats.remoteExpertCalls;
  const lines = [
    `${answer.completionTokens} tokens after ${answer.promptTokens} of prompt, ${tokensPerSecond({ stats, ...answer }).toFixed(1)} tokens/s, first token after ${answer.timeToFirstTokenMs.toFixed(0)} ms`,
    expertCalls === 0 ? 'no expert calls: the model is dense' : `${stats.remoteExpertCalls} of ${expertCalls} expert calls crossed between workers${stats.retriedExpertCalls > 0 ? `, ${stats.retriedExpertCalls} sent again` : ''}`,
    stats.workers.length === 0 ? `led and served by ${stats.lead}` : `led by ${stats.lead}, served by ${stats.workers.join(', ')}`,
  ];
  return lines.map((line) => styleText('dim', line, { stream: process.stderr })).join('\n');
}

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6)} MB`;
