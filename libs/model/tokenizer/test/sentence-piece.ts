import { createTokenizer, type Tokenizer, type TokenizerFiles } from '../src/index.ts';

const pieces = ['<unk>', '<s>', '</s>', ...Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`), '▁', 'a', 'b', 'é', '▁a', '▁ab', 'ab'];

/** A small one in the manner of SentencePiece, as Mixtral's: spaces are ▁, bytes are tokens of their own, a space is put before every text. */
export const SENTENCE_PIECE_FILES: TokenizerFiles = {
  tokenizer: {
    version: '1.0', truncation: null, padding: null,
    added_tokens: ['<unk>', '<s>', '</s>'].map((content, id) => ({ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true })),
    normalizer: { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '▁' }, { type: 'Replace', pattern: { String: ' ' }, content: '▁' }] },
    pre_tokenizer: null,
    post_processor: {
      type: 'TemplateProcessing', single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }], special_tokens: { '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] } },
    },
    decoder: { type: 'Sequence', decoders: [{ type: 'Replace', pattern: { String: '▁' }, content: ' ' }, { type: 'ByteFallback' }, { type: 'Fuse' }, { type: 'Strip', content: ' ', start: 1, stop: 0 }] },
    model: {
      type: 'BPE', dropout: null, unk_token: '<unk>', continuing_subword_prefix: null, end_of_word_suffix: null, fuse_unk: true, byte_fallback: true,
      vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])), merges: ['▁ a', '▁a b', 'a b'],
    },
  },
  tokenizerConfig: { bos_token: { content: '<s>' }, eos_token: '</s>', clean_up_tokenization_spaces: false },
};
export const sentencePiece: Tokenizer = createTokenizer(SENTENCE_PIECE_FILES);
