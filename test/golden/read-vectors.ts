import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Router } from '@essaim/core';
import { z } from 'zod';

/** Reads the golden files. README.md beside this file says what each field means. */

const GOLDEN_URL = new URL('./', import.meta.url);
const VECTORS_URL = new URL('vectors/', GOLDEN_URL);
const REPOSITORY_URL = new URL('../../', GOLDEN_URL);

const id = z.number().int().nonnegative();
const ids = z.array(id).readonly();
const numbers = z.array(z.number()).readonly();
/** Written as the shortest decimals of float32 values; only as float32 do they compare exactly. */
const floats = z.array(z.number()).transform((values) => Float32Array.from(values));
const digest = z.string().regex(/^[0-9a-f]{64}$/);
/** Python packages and their versions. */
const madeWith = z.record(z.string(), z.string());
const checkpoints = z.array(z.object({ folder: z.string(), sha256: z.record(z.string(), digest) }).readonly()).min(1).readonly();

const logitsSchema = z.object({
  madeWith, checkpoints, sha256: digest,
  promptIds: ids, greedyIds: ids, argmaxIds: ids, maxLogits: floats, logSumExps: floats,
  rows: id, columns: id, vocabularySize: id, vocabularyStride: id,
  largestAbsoluteLogit: z.number(), smallestGreedyGap: z.number(), smallestRouterGap: z.number().nullable(),
}).readonly();

const greedySchema = z.object({
  madeWith, checkpoints,
  runs: z.array(z.object({
    language: z.enum(['fr', 'en']), prompt: z.string(), promptIds: ids, greedyIds: ids, text: z.string(),
    smallestGreedyGap: z.number(), smallestRouterGap: z.number(),
  }).readonly()).readonly(),
}).readonly();

const perplexitySchema = z.object({
  madeWith, checkpoints, text: z.string(), textSha256: digest,
  ids, windowTokens: id, windowLosses: numbers, meanLoss: z.number(), perplexity: z.number(),
}).readonly();

const tokenizerSchema = z.object({
  madeWith, tokenizerSha256: digest,
  encodings: z.array(z.object({ text: z.string(), ids, decoded: z.string() }).readonly()).readonly(),
  decodings: z.array(z.object({ ids, text: z.string() }).readonly()).readonly(),
}).readonly();

const routersSchema = z.object({
  madeWith,
  routers: z.array(z.object({
    name: z.string(), expertCount: id, expertsPerToken: id,
    kind: z.enum(['softmax', 'sigmoid']), groupCount: id, groupsPerToken: id, renormalised: z.boolean(), scale: z.number(),
    logits: floats, correctionBias: floats.nullable(), experts: ids, gates: floats,
  }).transform(({ kind, groupCount, groupsPerToken, renormalised, scale, ...vector }): RouterVector => ({
    ...vector, router: { kind, correctionBias: vector.correctionBias !== null, groupCount, groupsPerToken, renormalised, scale },
  }))).readonly(),
}).readonly();

/** What a router makes of logits, [rows, expertCount]: experts, ascending within a row, and their gates, [rows, expertsPerToken]. */
export interface RouterVector {
  readonly name: string;
  readonly expertCount: number;
  readonly expertsPerToken: number;
  readonly router: Router;
  readonly logits: Float32Array;
  readonly correctionBias: Float32Array | null;
  readonly experts: readonly number[];
  readonly gates: Float32Array;
}

export interface LogitsVector extends z.infer<typeof logitsSchema> {
  readonly name: string;
  /** [rows, columns], row-major: row i follows token i of promptIds ++ greedyIds, column c is token c * vocabularyStride. */
  readonly logits: Float32Array;
}
export type GreedyRuns = z.infer<typeof greedySchema>;
export type PerplexityVector = z.infer<typeof perplexitySchema>;
export type TokenizerVector = z.infer<typeof tokenizerSchema>;

/** Names that `readLogits` takes: the fixtures, and `petit`. */
export function logitsNames(): string[] {
  return readdirSync(VECTORS_URL).filter((file) => file.endsWith('.f32')).map((file) => file.slice(0, -'.f32'.length)).sort();
}

export function readLogits(name: string): LogitsVector {
  const bytes = readFileSync(new URL(`${name}.f32`, VECTORS_URL));
  // A copy of its own: the read buffer may start at an offset that is no multiple of 4.
  const logits = new Float32Array(Uint8Array.from(bytes).buffer);
  return { ...logitsSchema.parse(readJson(name)), name, logits };
}

/** The logits of one row of a vector: a view, [columns]. */
export function logitsRow(vector: LogitsVector, row: number): Float32Array {
  return vector.logits.subarray(row * vector.columns, (row + 1) * vector.columns);
}

export const readGreedyRuns = (): GreedyRuns => greedySchema.parse(readJson('petit-greedy'));
export const readPerplexity = (): PerplexityVector => perplexitySchema.parse(readJson('petit-perplexity'));
export const readTokenizerVector = (): TokenizerVector => tokenizerSchema.parse(readJson('petit-tokenizer'));
export const readRouters = (): readonly RouterVector[] => routersSchema.parse(readJson('routers')).routers;
export const readHeldBackText = (): string => readFileSync(new URL('held-back.txt', GOLDEN_URL), 'utf8');

/** Absolute path of a checkpoint folder as the vectors name it. */
export const checkpointDirectory = (folder: string): string => fileURLToPath(new URL(folder, REPOSITORY_URL));

/** Lower-case hex SHA-256 of a file, its path relative to the repository. */
export function fileSha256(path: string): string {
  return createHash('sha256').update(readFileSync(new URL(path, REPOSITORY_URL))).digest('hex');
}

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`${name}.json`, VECTORS_URL), 'utf8'));
}
