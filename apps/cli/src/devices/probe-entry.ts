import { extname } from 'node:path';

/** The file that runs the code of drivers, from source as well as bundled, where it lies beside the command line. */
export const PROBE_ENTRY = new URL(`./probe.process${extname(import.meta.filename)}`, import.meta.url);
