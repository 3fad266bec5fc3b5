import { type StoredTensor } from '../safetensors/open-file.ts';

/** Names of tensors that a sentence gives before it counts the rest. */
const NAMED = 3;

/** Prefixes of what a model may have beside its text part. */
export interface Beside {
  readonly vision: readonly string[];
  readonly predictors: readonly string[];
}

/** What of a checkpoint is not read, one sentence each, for whoever starts the model. Empty where all is read. */
export function leftOver(tensors: readonly StoredTensor[], { vision, predictors }: Beside): string[] {
  const among = (prefixes: readonly string[]) => ({ name }: StoredTensor): boolean => prefixes.some((prefix) => name.startsWith(prefix));
  const ofImages = tensors.filter(among(vision));
  const ofPredictors = tensors.filter(among(predictors));
  const others = tensors.filter((tensor) => !among([...vision, ...predictors])(tensor));
  return [
    ...(ofImages.length === 0 ? [] : [`the part that sees images (${sizeOf(ofImages)}) is not read: this model answers text only`]),
    ...(ofPredictors.length === 0 ? [] : [`the layers that guess further tokens (${sizeOf(ofPredictors)}) are not read`]),
    ...(others.length === 0 ? [] : [`what belongs to no layer (${sizeOf(others)}) is not read: ${named(others)}`]),
  ];
}

function named(tensors: readonly StoredTensor[]): string {
  const names = tensors.slice(0, NAMED).map(({ name }) => name).join(', ');
  return tensors.length > NAMED ? `${names} and ${tensors.length - NAMED} more` : names;
}

const sizeOf = (tensors: readonly StoredTensor[]): string => {
  const bytes = tensors.reduce((sum, { begin, end }) => sum + end - begin, 0);
  return `${tensors.length} ${tensors.length === 1 ? 'tensor' : 'tensors'}, ${(bytes / 1e6).toFixed(1)} MB`;
};
