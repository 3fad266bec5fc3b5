import { join } from 'node:path';
import { AppError } from '@essaim/core';
import { prepareModel } from '../models.ts';
import { type BenchModelName } from '../options.ts';
import { type Findings } from './findings.ts';
import { GPU_FORMS } from './forms.ts';
import { type Asked, measureForm } from './measure-form.ts';
import { ENGINE } from './model-rows.ts';

/** A model on one worker of the card in each form, and the rivals beside it. What goes wrong is an omission; fails when it is interrupted. */
export async function measureModel(name: BenchModelName, asked: Asked): Promise<Findings> {
  const { options, folder, progress, stop } = asked;
  const forms = GPU_FORMS.filter((form) => options.forms.includes(form.name));
  const found: Findings[] = [];
  try {
    const model = await prepareModel(name, { cacheFolder: join(folder, 'cache'), progress, signal: stop });
    for (const form of forms) found.push(await measureForm(form, model, asked));
  } catch (thrown) {
    stop.throwIfAborted();
    for (const { name: form } of forms) found.push({ rows: [], rivals: [], omissions: [{ model: name, engine: ENGINE, form, name: null, kind: 'failed', reason: AppError.from(thrown).message }] });
  }
  return { rows: found.flatMap(({ rows }) => rows), rivals: found.flatMap(({ rivals }) => rivals), omissions: found.flatMap(({ omissions }) => omissions) };
}
