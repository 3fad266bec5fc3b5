/** A tokenizer.json with a token for each of the first bytes, as tiny random models need it: GPT-2's alphabet of bytes, nothing merged. */
export function byteTokenizer(tokens = 256): object {
  const isPrinted = (byte: number): boolean => (byte > 32 && byte < 127) || (byte > 160 && byte < 256 && byte !== 173);
  let moved = 256;
  const vocab = Object.fromEntries(Array.from({ length: 256 }, (_, byte) => [String.fromCodePoint(isPrinted(byte) ? byte : moved++), byte] as const).slice(0, tokens));
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  return { version: '1.0', added_tokens: [], normalizer: null, pre_tokenizer: byteLevel, post_processor: null, decoder: byteLevel, model: { type: 'BPE', unk_token: null, vocab, merges: [] } };
}
