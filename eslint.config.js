import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

// The import rules of ARCHITECTURE.md: a fan, not a web. Each layer names what it may see.
const depConstraints = [
  { sourceTag: 'layer:core', onlyDependOnLibsWithTags: [] },
  { sourceTag: 'layer:contracts', onlyDependOnLibsWithTags: [] },
  { sourceTag: 'layer:pure', onlyDependOnLibsWithTags: ['layer:core', 'unit:kv'] },
  { sourceTag: 'unit:kv', onlyDependOnLibsWithTags: ['layer:core'] },
  { sourceTag: 'layer:telemetry', onlyDependOnLibsWithTags: ['layer:core'] },
  { sourceTag: 'layer:io', onlyDependOnLibsWithTags: ['layer:core', 'layer:pure', 'layer:contracts'] },
  { sourceTag: 'layer:testing', onlyDependOnLibsWithTags: ['layer:core', 'layer:pure', 'layer:io', 'layer:telemetry'] },
  { sourceTag: 'layer:app', onlyDependOnLibsWithTags: ['layer:core', 'layer:pure', 'layer:io', 'layer:telemetry'] },
];

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '**/*_pb.ts', '.nx/**'] },
  ...tseslint.configs.strict,
  {
    files: ['**/*.ts'],
    plugins: { '@nx': nx },
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['*.js'] }, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@nx/enforce-module-boundaries': ['error', { depConstraints, enforceBuildableLibDependency: false, allowCircularSelfDependency: false, checkDynamicDependenciesExceptions: [] }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-extraneous-class': 'off',
      'no-restricted-imports': ['error', { patterns: [{ group: ['**/apps/**', '../../../apps/*'], message: 'Apps never import apps.' }] }],
    },
  },
  {
    // Pure libraries take the clock, randomness and I/O as arguments.
    files: ['libs/{core,model,cluster,engine,ops}/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-globals': ['error', 'process', 'setTimeout', 'setInterval', 'setImmediate', 'performance'],
      'no-restricted-properties': ['error', { object: 'Date', property: 'now' }, { object: 'Math', property: 'random' }],
      'no-restricted-imports': ['error', { patterns: ['node:fs*', 'node:net', 'node:http*', 'node:child_process', 'node:worker_threads', '@nestjs/*', 'onnxruntime-node', '@grpc/*'] }],
    },
  },
);
