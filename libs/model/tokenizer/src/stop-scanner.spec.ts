import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StopScanner } from './stop-scanner.ts';

/** Looks at every prefix of the text: the first that ends with a stop string is cut there, the longest one taken. */
function naive(text: string, stops: readonly string[]): { text: string; stopped: boolean } {
  for (let end = 1; end <= text.length; end++) {
    const lengths = stops.filter((stop) => text.slice(0, end).endsWith(stop)).map(({ length }) => length);
    if (lengths.length > 0) return { text: text.slice(0, end - Math.max(...lengths)), stopped: true };
  }
  return { text, stopped: false };
}

function scan(chunks: readonly string[], stops: readonly string[]): { text: string; stopped: boolean } {
  const scanner = new StopScanner(stops);
  let text = '';
  for (const chunk of chunks) {
    const scanned = scanner.push(chunk);
    text += scanned.text;
    if (scanned.stopped) return { text, stopped: true };
  }
  return { text: text + scanner.flush(), stopped: false };
}

/** Few letters, so that stop strings overlap with the text and with each other. */
const word = (maxLength: number): fc.Arbitrary<string> => fc.string({ unit: fc.constantFrom('a', 'b', 'é'), maxLength });
const stopsArbitrary = fc.array(word(5).filter((stop) => stop !== ''), { maxLength: 4 });

describe('StopScanner', () => {
  it('cuts where a search over the whole text cuts, for any chunks and stop strings', () => {
    fc.assert(fc.property(fc.array(word(4), { maxLength: 20 }), stopsArbitrary, (chunks, stops) => {
      expect(scan(chunks, stops)).toEqual(naive(chunks.join(''), stops));
    }), { numRuns: 2_000 });
  });

  it('holds back no more than what could begin a stop string', () => {
    fc.assert(fc.property(fc.array(word(4), { maxLength: 20 }), stopsArbitrary, (chunks, stops) => {
      const scanner = new StopScanner(stops);
      let [pushed, shown] = ['', ''];
      for (const chunk of chunks) {
        const { text, stopped } = scanner.push(chunk);
        if (stopped) return;
        pushed += chunk;
        shown += text;
        const held = pushed.slice(shown.length);
        expect(pushed.startsWith(shown)).toBe(true);
        expect(held === '' || stops.some((stop) => stop.startsWith(held) && stop !== held)).toBe(true);
      }
    }));
  });

  it('passes everything through without stop strings', () => {
    const scanner = new StopScanner([]);
    expect(scanner.push('anything')).toEqual({ text: 'anything', stopped: false });
    expect(scanner.flush()).toBe('');
  });
});
