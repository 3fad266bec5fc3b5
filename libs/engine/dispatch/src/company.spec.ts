import { describe, expect, it } from 'vitest';
import { Company } from './company.ts';

/** A company whose own lead has been through layer 3, and whoever else called for the layers that are named before it and after. */
function afterLayer3({ before = [], after = [] }: { readonly before?: readonly number[]; readonly after?: readonly number[] }): Company {
  const company = new Company();
  for (const layer of before) company.came(layer);
  company.call(3);
  company.ran(3);
  for (const layer of after) company.came(layer);
  return company;
}

describe('a call of the own lead', () => {
  it('waits for nobody while no other lead calls', () => {
    const company = afterLayer3({});
    company.call(4);
    expect(company.awaited).toBeNull();
  });

  it.each([['together with it', { before: [3] }], ['a little later', { after: [3] }]])('waits for a lead that was at the last layer %s, until that calls', (_when, calls) => {
    const company = afterLayer3(calls);
    company.call(4);
    expect(company.awaited).toBe(4);
    company.came(9);
    expect(company.awaited).toBe(4);
    company.came(4);
    expect(company.awaited).toBeNull();
  });

  it('waits for as many as were there last', () => {
    const company = afterLayer3({ before: [3], after: [3] });
    company.call(4);
    company.came(4);
    expect(company.awaited).toBe(4);
    company.came(4);
    expect(company.awaited).toBeNull();
  });

  it('does not wait for a lead that has called for its layer before it', () => {
    const company = afterLayer3({ before: [3], after: [4] });
    company.call(4);
    expect(company.awaited).toBeNull();
  });

  it('expects nobody at the next layer where it has waited in vain', () => {
    const company = afterLayer3({ before: [3] });
    company.giveUp(company.call(4));
    expect(company.awaited).toBeNull();
    company.ran(4);
    company.call(5);
    expect(company.awaited).toBeNull();
  });

  it('is not given up in the name of an earlier one', () => {
    const company = afterLayer3({ before: [3] });
    const earlier = company.call(4);
    company.came(4);
    company.ran(4);
    company.call(5);
    company.giveUp(earlier);
    expect(company.awaited).toBe(5);
  });

  it('does not wait when it has run, whatever runs of other layers', () => {
    const company = afterLayer3({ before: [3] });
    company.call(4);
    company.ran(7);
    expect(company.awaited).toBe(4);
    company.ran(4);
    expect(company.awaited).toBeNull();
  });

  it('forgets calls of earlier steps', () => {
    const company = afterLayer3({ before: [3, 4] });
    for (const layer of [4, 5, 3]) {
      company.call(layer);
      company.ran(layer);
    }
    company.call(4);
    expect(company.awaited).toBeNull();
  });
});
