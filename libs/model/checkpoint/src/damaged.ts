import { AppError } from '@essaim/core';

/** The refusal of a file that can't be what its author wrote. `what` completes "FILE is damaged: ". */
export const damaged = (file: string, what: string, cause?: unknown): AppError =>
  new AppError('data_loss', `${file} is damaged: ${what}; download it again`, { cause });
