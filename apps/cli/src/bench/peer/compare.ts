import { randomPrompt } from '../prompts.ts';
import { seededRandom } from '../random.ts';
import { type Agreement, agreementOf } from './agreement.ts';
import { type Contender, type Prediction } from './contender.ts';
import { type Side } from './duel.ts';

const PROMPTS = 8;
const PROMPT_TOKENS = 32;
const SEED = 7;

/** Asks both sides what follows the same prompts. */
export async function compareSides(sides: Readonly<Record<Side, Contender>>, vocabSize: number, signal: AbortSignal): Promise<Agreement> {
  const random = seededRandom(SEED);
  const pairs: { readonly ours: Prediction; readonly peers: Prediction }[] = [];
  for (let count = 0; count < PROMPTS; count++) {
    const prompt = randomPrompt(random, { tokens: PROMPT_TOKENS, vocabSize });
    pairs.push({ ours: await sides.ours.predict(prompt, signal), peers: await sides.peer.predict(prompt, signal) });
  }
  return agreementOf(pairs);
}
