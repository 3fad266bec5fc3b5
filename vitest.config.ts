import { defineConfig } from 'vitest/config';
import { CountReporter } from './test/workspace/count-reporter.ts';

export default defineConfig({
  test: {
    include: ['{apps,libs,test,deploy}/**/*.spec.ts'],
    reporters: ['default', new CountReporter()],
    setupFiles: ['test/workspace/fixed-seed.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    pool: 'forks',
  },
});
