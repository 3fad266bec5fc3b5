import { Metadata, type ServiceError, status as grpcStatus } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { AppError, ERROR_CODES } from '@essaim/core';
import { abortedError, codeOf, ConnectionLost, fromStatus, statusOf, toStatus } from './status.ts';

const SITE = { address: 'node-1:8090', method: 'Generate' };
const failed = (code: number, details = '', metadata = new Metadata()): ServiceError => Object.assign(new Error(details), { code, details, metadata });

describe('a code', () => {
  it.each(ERROR_CODES)('%s is gRPC\'s of that name, both ways', (code) => {
    expect(statusOf(code)).toBe(grpcStatus[code.toUpperCase() as keyof typeof grpcStatus]);
    expect(codeOf(statusOf(code))).toBe(code);
  });

  it('is missing for OK and for numbers that gRPC does not have', () => {
    expect([0, 17, -1, 1.5, Number.NaN].map(codeOf)).toEqual([null, null, null, null, null]);
  });

  it('is there for every status of gRPC but OK', () => {
    const names = Object.keys(grpcStatus).filter((name) => !/^\d+$/.test(name) && name !== 'OK');
    expect(names.map((name) => name.toLowerCase()).toSorted()).toEqual([...ERROR_CODES].toSorted());
  });
});

describe('a status', () => {
  it.each(ERROR_CODES)('of ours comes back as the error that it was: %s', (code) => {
    const { code: number, details, metadata } = toStatus(new AppError(code, 'one sentence'));
    expect(fromStatus(failed(number, details, metadata!), SITE)).toMatchObject({ name: 'AppError', code, message: 'one sentence' });
  });

  it.each([
    [grpcStatus.DEADLINE_EXCEEDED, '', 'deadline_exceeded', 'Generate at node-1:8090 did not end before its deadline'],
    [grpcStatus.UNIMPLEMENTED, '', 'unimplemented', 'node-1:8090 does not know Generate: its version is another'],
    [grpcStatus.RESOURCE_EXHAUSTED, 'Received message larger than max', 'resource_exhausted', 'Generate at node-1:8090 exceeded a message limit'],
    [grpcStatus.INTERNAL, 'Received RST_STREAM with code 2', 'unavailable', "node-1:8090 can't be reached or dropped the connection"],
    [grpcStatus.INTERNAL, 'No message received', 'internal', 'Generate at node-1:8090 broke the protocol'],
    [grpcStatus.UNAVAILABLE, 'connect ECONNREFUSED', 'unavailable', "node-1:8090 can't be reached or dropped the connection"],
    [grpcStatus.UNAVAILABLE, 'Name resolution failed for target dns:tls-role-1:8090', 'unavailable', "node-1:8090 can't be reached or dropped the connection"],
    [grpcStatus.UNAVAILABLE, 'certificate has expired', 'unavailable', 'node-1:8090 and this process do not trust each other'],
    [grpcStatus.UNAVAILABLE, 'error:0A00045C:SSL routines:ssl3_read_bytes', 'unavailable', 'node-1:8090 and this process do not trust each other'],
    [grpcStatus.CANCELLED, 'Call cancelled', 'unavailable', "node-1:8090 can't be reached or dropped the connection"],
    [99, 'whatever', 'unavailable', "node-1:8090 can't be reached or dropped the connection"],
  ])('%d of the library, "%s", is %s in a sentence of ours', (code, details, expected, sentence) => {
    const error = fromStatus(failed(code, details), SITE);
    expect(error).toMatchObject({ name: 'AppError', code: expected, message: expect.stringContaining(sentence) as string });
    expect(error instanceof ConnectionLost).toBe(expected === 'unavailable');
  });
});

describe('an aborted call', () => {
  it.each([
    ['the caller\'s own error', new AppError('deadline_exceeded', 'too late'), { code: 'deadline_exceeded', message: 'too late' }],
    ['a plain abort', undefined, { code: 'cancelled', message: 'the request was cancelled' }],
    ['a timeout', new DOMException('timed out', 'TimeoutError'), { code: 'deadline_exceeded' }],
    ['anything else', 'because', { code: 'cancelled', message: 'the request was cancelled' }],
  ])('fails with %s', (_what, reason, expected) => expect(abortedError(AbortSignal.abort(reason))).toMatchObject(expected));
});
