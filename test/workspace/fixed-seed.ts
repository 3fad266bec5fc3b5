import fc from 'fast-check';

/** Properties see the same cases in every run, so that a run that fails fails again. FAST_CHECK_SEED=N looks at others. */
fc.configureGlobal({ seed: Number(process.env['FAST_CHECK_SEED'] ?? 1) });
