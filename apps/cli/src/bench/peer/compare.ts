import { randomPrompt } from '../prompts.ts';
import { seededRandom } from '../random.ts';
import { type Agreement, agreementOf } from './agreement.ts';
import { type Contender, type Prediction } from './contender.ts';
import { type Side } from './duel.ts';
import { type Load } from './metrics.ts';

const PROMPTS = 8;
/** Of each, as a side has to have room for it. */
export const COMPARED: Load = { streams: 1, promptTokens: 32, newTokens: 1 };
const SEED = 7;

/** What one side says follows the prompts that every side is asked, one after the other. */
export async function predictionsOf(side: Contender, vocabSize: number, signal: AbortSignal): Promise<readonly Prediction[]> {
  const random = seededRandom(SEED);
  const predictions: Prediction[] = [];
  while (predictions.length < PROMPTS) predictions.push(await side.predict(randomPrompt(random, { tokens: COMPARED.promptTokens, vocabSize }), signal));
  return predictions;
}

/** Asks both sides what follows the same prompts. */
export async function compareSides(sides: Readonly<Record<Side, Contender>>, vocabSize: number, signal: AbortSignal): Promise<Agreement> {
  return agreementBetween(await predictionsOf(sides.ours, vocabSize, signal), await predictionsOf(sides.peer, vocabSize, signal));
}

/** Of what both said to the same prompts. */
export const agreementBetween = (ours: readonly Prediction[], peers: readonly Prediction[]): Agreement => agreementOf(ours.map((each, index) => ({ ours: each, peers: peers[index]! })));
