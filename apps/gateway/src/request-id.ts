import { type IncomingMessage } from 'node:http';
import { randomUUID } from 'node:crypto';

/** Safe in headers, logs and file names. */
const SAFE = /^[A-Za-z0-9._:-]{1,128}$/;

/** The caller's own id where it has a safe one, else a new one. */
export const requestIdOf = (given: string | string[] | null | undefined): string => (typeof given === 'string' && SAFE.test(given) ? given : randomUUID());

export const headerRequestId = (request: Pick<IncomingMessage, 'headers'>): string => requestIdOf(request.headers['x-request-id']);
