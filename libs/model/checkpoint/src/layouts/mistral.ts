import { describeParams } from '../params/params.ts';
import { type TensorNames } from '../weights/tensor-names.ts';
import { type Layout } from './layout.ts';

/** What Mistral publishes beside Hugging Face's form, and alone for its largest models. */
export const mistralLayout: Layout = {
  name: 'Mistral',
  configFile: 'params.json',
  weightFiles: { single: 'consolidated.safetensors', index: 'consolidated.safetensors.index.json' },
  describe: describeParams,
  tensorNames: () => TENSOR_NAMES,
};

const PARTS = { gate: 'w1.weight', up: 'w3.weight', down: 'w2.weight' };

/** Those of latent attention as vLLM's mistral_large_3.py knows them. */
const TENSOR_NAMES: TensorNames = {
  embedding: 'tok_embeddings.weight',
  finalNorm: 'norm.weight',
  head: 'output.weight',
  layers: 'layers',
  inputNorm: 'attention_norm.weight',
  query: 'attention.wq.weight',
  key: 'attention.wk.weight',
  value: 'attention.wv.weight',
  output: 'attention.wo.weight',
  postAttentionNorm: 'ffn_norm.weight',
  dense: { gate: 'feed_forward.w1.weight', up: 'feed_forward.w3.weight', down: 'feed_forward.w2.weight' },
  latent: {
    queryDown: 'attention.wq_a.weight', queryNorm: 'attention.q_a_norm.weight', queryUp: 'attention.wq_b.weight',
    keyValueDown: 'attention.wkv_a_with_mqa.weight', keyValueNorm: 'attention.kv_a_norm.weight', keyValueUp: 'attention.wkv_b.weight',
  },
  // Large 3 and Small 4 have them in the layer itself, Mixtral in its feed-forward network.
  routed: ['', 'feed_forward.'].map((place) => ({ place, parts: PARTS, correctionBias: 'router_biases' })),
  vision: ['vision_encoder.', 'vision_language_adapter.', 'patch_merger.', 'pre_mm_projector_norm.'],
  rotaryPairs: 'interleaved',
};
