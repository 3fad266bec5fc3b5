/** The entry of a process that runs the code of drivers, so that one that crashes or hangs takes nobody with it. */
import { runProbe } from '@essaim/devices';

await runProbe();
