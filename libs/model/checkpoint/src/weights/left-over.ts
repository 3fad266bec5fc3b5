import { type StoredTensor } from '../safetensors/open-file.ts';
import { type TensorNames } from './tensor-names.ts';

/** Names of tensors that a sentence gives before it counts the rest. */
const NAMED = 3;

/** What of a checkpoint is not read, one sentence each, for whoever starts the model. Empty where all is read. */
export function leftOver(tensors: readonly StoredTensor[], { vision }: TensorNames): string[] {
  const seesImages = ({ name }: StoredTensor): boolean => vision.some((prefix) => name.startsWith(prefix));
  const ofImages = tensors.filter(seesImages);
  const others = tensors.filter((tensor) => !seesImages(tensor));
  return [
    ...(ofImages.length === 0 ? [] : [`the part that sees images (${sizeOf(ofImages)}) is not read: this model answers text only`]),
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
