import { defineConfig } from 'vitest/config';
import { CountReporter } from '../count-reporter.ts';

export default defineConfig({ test: { root: import.meta.dirname, include: ['*.ts'], exclude: ['vitest.config.ts'], reporters: [new CountReporter()] } });
