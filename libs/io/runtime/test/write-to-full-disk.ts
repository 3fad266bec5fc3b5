import { readdirSync } from 'node:fs';
import { compilePiece, graphDigest } from '@essaim/graph';
import { AppError } from '@essaim/core';
import { GraphCache } from '../src/index.ts';
import { syntheticModel } from './synthetic-model.ts';

/** Writes a graph of a megabyte into the cache folder given, whose disk is smaller, and prints what came of it. */
const folder = process.argv[2]!;
const [graph] = compilePiece(syntheticModel({ hiddenSize: 64, expertSize: 64, vocabSize: 4096, dtype: 'float32' }), { kind: 'head' });
const digest = await graphDigest(graph!);
const cache = new GraphCache(folder);
const error = await cache.write(digest, graph!, () => undefined).then(() => null, AppError.from);
console.log(JSON.stringify({ code: error?.code, message: error?.message, has: cache.has(digest), left: readdirSync(folder) }));
