import { z } from 'zod';
import { type JsonFile, parseJson } from '../json/read-json.ts';

/** Text models that also see images; their text part is one of the other architectures, under a key of its own. */
export const IMAGE_AND_TEXT = 'Mistral3ForConditionalGeneration';

const schema = z.object({
  text_config: z.record(z.string(), z.unknown(), 'must be an object'),
  tie_word_embeddings: z.boolean().optional(),
});

/** The configuration of the text part; what is said of the whole model holds for it unless it says otherwise itself. */
export function textPart(file: JsonFile): JsonFile {
  const { text_config: text, tie_word_embeddings: tied } = parseJson(schema, file);
  return { path: file.path, within: ['text_config'], value: tied === undefined ? text : { tie_word_embeddings: tied, ...text } };
}
