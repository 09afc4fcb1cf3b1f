import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/** Imports point one way: controllers, services, then entities and the database. Each rule says why. */
const importRules = [
  {
    files: ['src/phones/**'],
    patterns: [
      {
        group: ['**/directory/*', '!**/directory/*.entity.js'],
        message: 'Phones know the directory only as the owners that their foreign keys refer to.',
      },
      { group: ['**/access/*'], message: 'Who may is decided before a request reaches the phones.' },
    ],
  },
  {
    files: ['src/directory/**'],
    patterns: [
      { group: ['**/phones/*'], message: 'The directory does not know what its records own.' },
      {
        group: ['**/access/*'],
        message: 'A controller says who may; whether they may is decided before a request reaches it.',
      },
    ],
  },
  {
    files: ['src/access/**'],
    patterns: [
      {
        group: ['**/phones/*', '**/directory/*', '!**/directory/organization.entity.js'],
        message: 'Access knows organizations, by ID and by slug, and nothing of what is under them.',
      },
    ],
  },
  {
    files: ['src/idempotency/**'],
    patterns: [
      {
        group: ['**/phones/*', '**/directory/*', '**/access/*'],
        message: 'What a request creates is none of its business.',
      },
    ],
  },
  {
    files: ['src/http/**', 'src/validation/**', 'src/database/*.ts', 'src/config/**'],
    patterns: [
      {
        group: ['**/phones/*', '**/directory/*', '**/access/*'],
        message: 'What all features share knows none of them.',
      },
    ],
  },
];

export default defineConfig(
  { ignores: ['dist/', 'data/'] },
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['eslint.config.js'] } } },
    rules: {
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      // A DTO is a shape with decorators: a plain row or literal of that shape serves as one.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      eqeqeq: 'error',
    },
  },
  {
    files: ['src/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector:
            'Decorator > CallExpression[callee.name=/^(Body|Query)$/]:not([arguments.0.name="RequestPipe"])',
          message: 'RequestPipe checks what is sent: @Body(RequestPipe), @Query(RequestPipe).',
        },
      ],
    },
  },
  {
    files: ['test/**'],
    rules: {
      // A test says what the body of an answer ought to be.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
    },
  },
  ...importRules.map(({ files, patterns }) => ({
    files,
    rules: { 'no-restricted-imports': ['error', { patterns }] },
  })),
);
