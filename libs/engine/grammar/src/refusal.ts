import { AppError } from '@essaim/core';

/** A schema, pattern or grammar that can't be followed: one sentence that says what, where and what to do. */
export const refusal = (sentence: string): AppError => new AppError('invalid_argument', sentence);
