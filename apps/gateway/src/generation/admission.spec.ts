import { describe, expect, it } from 'vitest';
import { Admission } from './admission.ts';

describe('Admission', () => {
  it('admits so many sequences at once and no more', () => {
    const admission = new Admission(3);
    const permit = admission.admit(2);
    expect(() => admission.admit(2)).toThrow(expect.objectContaining({ code: 'resource_exhausted' }));
    admission.admit(1);
    expect(admission.sequencesInFlight).toBe(3);
    permit[Symbol.dispose]();
    admission.admit(2);
    expect(admission.sequencesInFlight).toBe(3);
  });

  it('closes when the last answer is over, and admits nothing meanwhile', async () => {
    const admission = new Admission();
    const [first, second] = [admission.admit(1), admission.admit(1)];
    let closed = false;
    const closing = admission.close().then(() => (closed = true));
    expect(() => admission.admit(1)).toThrow(expect.objectContaining({ code: 'unavailable' }));
    first[Symbol.dispose]();
    await Promise.resolve();
    expect(closed).toBe(false);
    second[Symbol.dispose]();
    await closing;
  });

  it('closes at once when nothing is under way', async () => {
    await new Admission().close();
  });
});
