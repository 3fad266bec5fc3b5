import fc from 'fast-check';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { AppError } from '@essaim/core';
import { createLogger, type Logger, type LogLevel } from './index.ts';
import { SECRET_FIELDS } from './without-secrets.ts';

type Line = Record<string, unknown>;

/** A real logger and the lines that it wrote. */
function logging(level: LogLevel = 'debug'): { readonly logger: Logger; readonly lines: Line[] } {
  const lines: Line[] = [];
  const output = new Writable({ decodeStrings: false, write: (text: string, _encoding, done) => (lines.push(JSON.parse(text) as Line), done()) });
  return { logger: createLogger({ component: 'worker w1', level, output }), lines };
}

function written(fields: object): Line {
  const { logger, lines } = logging();
  logger.info(fields);
  return lines[0]!;
}

describe('a line', () => {
  it('is one JSON object with level, time, component, message and fields', () => {
    const { logger, lines } = logging();
    logger.warn({ epoch: 3, addresses: ['a', 'b'], missing: null }, 'placement of %d experts', 8);
    expect(lines).toEqual([{ level: 'warn', time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string, component: 'worker w1', message: 'placement of 8 experts', epoch: 3, addresses: ['a', 'b'], missing: null }]);
  });

  it('is left out under its level', () => {
    const { logger, lines } = logging('error');
    logger.warn('quiet');
    expect(lines).toEqual([]);
  });

  it('survives objects that hold each other, big integers and dates', () => {
    const self: Record<string, unknown> = { count: 3n, at: new Date(0), none: undefined };
    self.self = self;
    expect(written(self)).toMatchObject({ count: 3, at: '1970-01-01T00:00:00.000Z' });
  });
});

describe('an error', () => {
  const error = new AppError('internal', 'the step failed', { cause: new Error('disk full') });

  it.each([['as a field', { error }], ['alone', error]])('is logged with code, stack and causes when given %s', (_how, given) => {
    expect(written(given)).toMatchObject({
      message: 'the step failed',
      error: { type: 'AppError', code: 'internal', message: 'the step failed: disk full', stack: expect.stringMatching(/AppError: the step failed\n.*logger\.spec\.ts[^]*caused by: Error: disk full/) as string },
    });
  });

  it('is logged in the same way inside a field', () => {
    expect(written({ call: { method: 'Join', error } })).toMatchObject({ call: { method: 'Join', error: { type: 'AppError', message: 'the step failed: disk full' } } });
  });

  it('gives no secret away by what hangs on it', () => {
    expect(written({ error: Object.assign(new Error('refused'), { metadata: { authorization: 'Bearer s3cret' } }) }))
      .toMatchObject({ error: { message: 'refused', metadata: { authorization: '[redacted]' } } });
  });
});

describe('a secret', () => {
  it('is censored in the fields that a child logger is bound to', () => {
    const { logger, lines } = logging();
    logger.child({ requestId: 'r1', apiKey: 's3cret' }).info('asked');
    expect(lines[0]).toMatchObject({ requestId: 'r1', apiKey: '[redacted]' });
  });

  it('is censored in whatever case its name is written', () => {
    expect(written({ Authorization: 'Bearer s3cret', APIKEY: 's3cret' })).toMatchObject({ Authorization: '[redacted]', APIKEY: '[redacted]' });
  });

  it('is censored in what an object says of itself', () => {
    expect(written({ metadata: { toJSON: () => ({ authorization: ['s3cret'] }) } })).toMatchObject({ metadata: { authorization: '[redacted]' } });
  });

  it('never shows, however deep in objects and lists it is', () => {
    const wrap = fc.constantFrom((inner: unknown) => ({ inner }), (inner: unknown) => [0, inner], (inner: unknown) => ({ beside: 1, inner, after: [] }));
    const secret = fc.oneof(fc.constant('s3cret'), fc.constant({ any: ['s3cret'] }));
    fc.assert(fc.property(fc.array(wrap, { maxLength: 12 }), fc.constantFrom(...SECRET_FIELDS), secret, (wraps, field, value) => {
      const fields = wraps.reduce<unknown>((inner, around) => around(inner), { [field]: value });
      expect(JSON.stringify(written({ fields, count: 1 }))).not.toContain('s3cret');
    }));
  });
});
