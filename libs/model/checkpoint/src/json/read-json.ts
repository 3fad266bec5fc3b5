import { AppError } from '@essaim/core';
import { type z } from 'zod';
import { damaged } from '../damaged.ts';
import { type CheckpointFolder } from '../folder.ts';
import { parseStrictJson } from './strict-json.ts';

export interface JsonFile {
  /** Where it lies, for messages. */
  readonly path: string;
  /** The keys of the file under which the value lies; the whole file where absent. */
  readonly within?: readonly string[];
  readonly value: unknown;
}

/** A JSON file of the folder; null where it does not exist. */
export async function readJson(folder: CheckpointFolder, name: string, limit: { readonly maxBytes: number }): Promise<JsonFile | null> {
  const text = await folder.readText(name, limit);
  if (text === null) return null;
  const path = `${folder.directory}/${name}`;
  try {
    return { path, value: parseStrictJson(text) };
  } catch (cause) {
    throw damaged(path, `it is not valid JSON (${(cause as SyntaxError).message})`, cause);
  }
}

/** The value behind a schema. A message of the schema completes "PATH: KEY ", for example "must be a positive integer". */
export function parseJson<S extends z.ZodType>(schema: S, { path, within = [], value }: JsonFile): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  const key = [...within, ...issue.path].join('.') || 'the file';
  const sentence = `${path}: ${key} ${issue.message}`;
  throw isUnimplemented(issue) ? new AppError('unimplemented', sentence) : new AppError('data_loss', sentence, { cause: result.error });
}

/** Marks a refinement of a schema as a thing that is right but that Essaim can't run. */
export const unimplemented = (message: string): { error: string; params: { unimplemented: true } } => ({ error: message, params: { unimplemented: true } });

const isUnimplemented = (issue: z.core.$ZodIssue): boolean => issue.code === 'custom' && issue.params?.['unimplemented'] === true;
