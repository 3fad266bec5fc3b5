import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '@essaim/core';
import { createLogger } from '@essaim/telemetry';
import { LogFile } from './log-file.ts';

let folder: string;
let log: LogFile;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'essaim-log-'));
  log = new LogFile(join(folder, 'worker-1.log'));
});
afterEach(() => {
  log.close();
  rmSync(folder, { recursive: true });
});

const logger = () => createLogger({ component: 'worker 1', level: 'info', output: new Writable({ write: (chunk: Buffer, _encoding, done) => (log.write(chunk), done()) }) });
const error = new AppError('internal', 'the step failed', { cause: new Error('disk full') });

describe('the tail of a log', () => {
  it('says in plain words what the logger wrote as JSON', () => {
    logger().info({ epoch: 3 }, 'placement applied');
    logger().error({ error }, 'a sequence failed');
    logger().error(error);
    expect(log.tail()).toEqual(['placement applied', 'a sequence failed: the step failed: disk full', 'the step failed: disk full']);
  });

  it('leaves lines that no logger wrote as they are', () => {
    log.write(Buffer.from('Segmentation fault\n\n{"broken": \n{"level":"info"}\nnull\n'));
    expect(log.tail()).toEqual(['Segmentation fault', '{"broken": ', '{"level":"info"}', 'null']);
  });

  it('is the last five lines', () => {
    log.write(Buffer.from('1\n2\n3\n4\n5\n6\n7\n'));
    expect(log.tail()).toEqual(['3', '4', '5', '6', '7']);
  });
});

describe('a log file', () => {
  it('keeps the former one beside it, and only the owner reads it', () => {
    log.write(Buffer.from('before\n'));
    log.close();
    log = new LogFile(log.path);
    log.write(Buffer.from('after\n'));
    expect([readFileSync(`${log.path}.1`, 'utf8'), readFileSync(log.path, 'utf8')]).toEqual(['before\n', 'after\n']);
    expect(statSync(log.path).mode & 0o777).toBe(0o600);
  });

  it('starts anew before it grows past its bound', () => {
    const half = Buffer.alloc(5 << 20, 'x');
    log.write(half);
    log.write(half);
    expect([statSync(`${log.path}.1`).size, statSync(log.path).size]).toEqual([half.length, half.length]);
  });
});
