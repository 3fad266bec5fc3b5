/** The entry of a process that measures one model. It ends with the process that started it. */
import { AppError, assert } from '@essaim/core';
import { measureShape } from './measure.ts';
import { SHAPES } from './models.ts';
import { type ShapeReply, type ShapeRequest } from './shape-process.ts';

process.on('disconnect', () => process.exit());

const [, , text] = process.argv;
assert(text !== undefined, 'the process is told what to measure');
const { shape, ...options } = JSON.parse(text) as ShapeRequest;
const tell = (reply: ShapeReply): void => void process.send?.(reply);

try {
  const note = (line: string): void => tell({ kind: 'note', line });
  tell({ kind: 'figures', figures: await measureShape(shape, { ...options, spec: SHAPES[shape.name], note, signal: new AbortController().signal }) });
} catch (thrown) {
  const { code, message } = AppError.from(thrown);
  tell({ kind: 'failed', code, message });
}
