/** Of x86-64, and of arm64 with pages of 4 KiB. */
const HUGE_BYTES = 2 << 20;
/** Whatever is written to in a range from now on becomes pages of 2 MiB, where there are some. @see madvise(2) */
const MADV_HUGEPAGE = 14;

/**
 * Asks the system for pages of 2 MiB behind an address, before anything is written there. Every token reads all that it uses of the weights: with
 * pages of 4 KiB the processor looks up hundreds of thousands of addresses for that, and the system makes as many pages while they are loaded.
 * V8 does not ask for large pages, and Node can't. Where they are not to be had everything goes on as before: they cost speed, not answers.
 */
export async function useHugePages(buffer: SharedArrayBuffer, from: number): Promise<void> {
  if (process.platform !== 'linux') return;
  const at = Math.ceil(from / HUGE_BYTES) * HUGE_BYTES;
  if (at >= buffer.byteLength) return;
  try {
    const { default: koffi } = await import('koffi');
    const madvise = koffi.load(null).func('int madvise(void *addr, size_t length, int advice)');
    madvise(new Uint8Array(buffer, at), buffer.byteLength - at, MADV_HUGEPAGE);
  } catch {
    // A system without this call, or a processor that koffi is not built for.
  }
}
