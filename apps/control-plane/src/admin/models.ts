import { ApiProperty } from '@nestjs/swagger';
import { expertCount, type ModelRef, type ModelSpec, WEIGHT_DTYPES, type WeightDtype } from '@essaim/core';

export class ModelView {
  @ApiProperty({ type: String, description: 'The id that clients name' }) readonly id!: string;
  @ApiProperty({ enum: WEIGHT_DTYPES }) readonly dtype!: WeightDtype;
  @ApiProperty({ type: Boolean }) readonly deterministic!: boolean;
  @ApiProperty({ type: String }) readonly family!: string;
  @ApiProperty({ type: 'integer' }) readonly layerCount!: number;
  @ApiProperty({ type: 'integer', description: 'Experts of each layer; 0 for a dense model' }) readonly expertCount!: number;
  @ApiProperty({ type: 'integer', description: '0 for a dense model' }) readonly expertsPerToken!: number;
  @ApiProperty({ type: 'integer', description: 'Longest sequence in tokens, prompt and answer together' }) readonly contextLength!: number;
  @ApiProperty({ type: 'integer' }) readonly vocabSize!: number;
  @ApiProperty({ type: 'integer' }) readonly hiddenSize!: number;
}

export class ModelList {
  @ApiProperty({ type: [ModelView] }) readonly models!: readonly ModelView[];
}

export function modelList({ id, dtype, deterministic }: ModelRef, spec: ModelSpec): ModelList {
  const { family, layerCount, contextLength, vocabSize, hiddenSize, feedForward } = spec;
  const expertsPerToken = feedForward.kind === 'moe' ? feedForward.expertsPerToken : 0;
  return { models: [{ id, dtype, deterministic, family, layerCount, expertCount: expertCount(spec), expertsPerToken, contextLength, vocabSize, hiddenSize }] };
}
