import { createProjectGraphAsync } from '@nx/devkit';
import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

// The rule that binds imports reads the project graph from a file and is silent without one: it is made here, in this process, before
// the first file is linted.
process.env.NX_ISOLATE_PLUGINS = 'false';
await createProjectGraphAsync();

/** Who may import whom, a fan and not a web: tag of a package to tags of the packages that it may see. A package without a row may see none. */
const MAY_SEE = {
  'layer:core': [],
  'layer:contracts': [],
  'layer:telemetry': ['layer:core'],

  'unit:auth': ['layer:core'],
  'unit:checkpoint': ['layer:core'],
  'unit:dispatch': ['layer:core'],
  'unit:grammar': ['layer:core'],
  'unit:graph': ['layer:core', 'unit:quantise'],
  'unit:kv': ['layer:core'],
  'unit:membership': ['layer:core', 'unit:placement'],
  'unit:panels': ['layer:core', 'unit:quantise'],
  'unit:placement': ['layer:core'],
  'unit:planning': ['layer:core', 'unit:placement'],
  'unit:quantise': ['layer:core'],
  'unit:runner': ['layer:core', 'unit:kv', 'unit:scheduler', 'unit:sampling', 'unit:dispatch'],
  'unit:sampling': ['layer:core'],
  'unit:scheduler': ['layer:core', 'unit:kv'],
  'unit:tokenizer': ['layer:core'],

  'unit:devices': ['layer:core', 'layer:pure', 'layer:io'],
  'unit:files': ['layer:core', 'layer:pure', 'layer:io'],
  'unit:kernels': ['layer:core', 'layer:pure', 'layer:io'],
  'unit:process': ['layer:core', 'layer:pure', 'layer:io'],
  'unit:rpc': ['layer:core', 'layer:pure', 'layer:io', 'layer:contracts'],
  'unit:runtime': ['layer:core', 'layer:pure', 'layer:io'],
  'unit:store': ['layer:core', 'layer:pure', 'layer:io'],

  'layer:testing': ['layer:core', 'layer:pure', 'layer:io', 'layer:telemetry'],
  'layer:app': ['layer:core', 'layer:pure', 'layer:io', 'layer:telemetry', 'layer:testing'],
};

const depConstraints = [
  ...Object.entries(MAY_SEE).map(([sourceTag, onlyDependOnLibsWithTags]) => ({ sourceTag, onlyDependOnLibsWithTags })),
  { sourceTag: 'layer:core', allowedExternalImports: ['vitest', 'fast-check'] },
];

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', '**/*_pb.ts', '**/*_wasm.ts', 'libs/io/kernels/assembly/**', '.nx/**'] },
  ...tseslint.configs.strict,
  {
    files: ['**/*.ts'],
    plugins: { '@nx': nx },
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['*.js'] }, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // A worker on a processor never loads ONNX Runtime; threads that compile for a card, and types, need no late import.
      '@nx/enforce-module-boundaries': ['error', { depConstraints, checkDynamicDependenciesExceptions: ['@essaim/runtime'] }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-extraneous-class': 'off',
      // It takes the type argument of `Promise.withResolvers<void>()` for an invalid place.
      '@typescript-eslint/no-invalid-void-type': 'off',
    },
  },
  {
    // Pure libraries take the clock, randomness and I/O as arguments.
    files: ['libs/{core,model,cluster,engine,ops}/**/*.ts'],
    ignores: ['**/*.spec.ts', 'libs/*/*/test/**'],
    rules: {
      'no-restricted-globals': ['error', 'process', 'setTimeout', 'setInterval', 'setImmediate', 'performance', 'fetch'],
      'no-restricted-properties': ['error', { object: 'Date', property: 'now' }, { object: 'Math', property: 'random' }],
      'no-restricted-syntax': ['error', { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: 'The present comes as an argument.' }],
      'no-restricted-imports': ['error', { patterns: ['node:*', '!node:crypto', '!node:vm', '@nestjs/*', 'onnxruntime-node', '@grpc/*'] }],
    },
  },
);
