/** The entry of a process that runs the code of drivers, so that one that crashes or hangs takes no worker with it. */
import { runProbe } from '@essaim/devices';

await runProbe();
