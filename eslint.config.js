import eslint from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

/**
 * Imports point one way: controllers, services, then repositories and entities, then the database. Each rule says why. A
 * file must match only one entry, as the last one wins.
 */
const importRules = [
  {
    files: ['src/phones/**'],
    patterns: [
      {
        group: ['**/directory/*', '!**/directory/*.entity.js'],
        message: 'Phones know the directory only as the owners that their foreign keys reference.',
      },
      {
        group: ['**/auth/*', '**/clients/*'],
        message: 'Authorization is decided before a request reaches the phones.',
      },
    ],
  },
  {
    files: ['src/directory/**'],
    patterns: [
      { group: ['**/phones/*'], message: 'The directory does not know what its resources own.' },
      {
        group: ['**/auth/*', '!**/auth/auth.decorators.js', '**/clients/*'],
        message:
          'A controller declares a permission; whether a client has it is decided before the handler runs.',
      },
    ],
  },
  {
    files: ['src/auth/**'],
    patterns: [
      {
        group: ['**/phones/*', '**/directory/*', '!**/directory/organization.entity.js'],
        message: 'A client is granted organizations. What belongs to an organization is of no concern here.',
      },
      { group: ['**/clients/*'], message: 'The module that manages clients depends on this one.' },
    ],
  },
  {
    files: ['src/clients/**'],
    patterns: [
      {
        group: ['**/phones/*', '**/directory/*', '!**/directory/organization.entity.js'],
        message: 'A client is granted organizations. What belongs to an organization is of no concern here.',
      },
    ],
  },
  {
    files: ['src/idempotency/**'],
    patterns: [
      {
        group: ['**/phones/*', '**/directory/*', '**/auth/*', '**/clients/*'],
        message: 'Idempotency does not depend on what a request creates.',
      },
    ],
  },
  {
    files: ['src/common/**', 'src/validation/**', 'src/database/*.ts', 'src/config/**'],
    patterns: [
      {
        group: [
          '**/phones/*',
          '**/directory/*',
          '**/auth/*',
          '**/clients/*',
          '**/idempotency/*',
          '**/server/*',
        ],
        message: 'What all features share depends on none of them.',
      },
    ],
  },
  {
    files: ['src/dialing/**'],
    patterns: [
      { group: ['../*'], message: 'The rules for numbers are pure functions, without dependencies.' },
    ],
  },
  {
    files: ['src/server/**'],
    patterns: [
      {
        group: ['**/phones/*', '**/directory/*', '**/clients/*', '**/idempotency/*'],
        message: 'The server serves whatever routes there are.',
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
      // A DTO is a shape with decorators, so that a plain object of that shape can be used as one.
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
            'Decorator > CallExpression[callee.name=/^(Body|Query)$/]:not([arguments.0.name="RequestValidationPipe"])',
          message:
            'RequestValidationPipe validates it: @Body(RequestValidationPipe), @Query(RequestValidationPipe).',
        },
      ],
    },
  },
  {
    files: ['test/**'],
    rules: {
      // A test declares the type of the response body that it expects.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
    },
  },
  ...importRules.map(({ files, patterns }) => ({
    files,
    rules: { 'no-restricted-imports': ['error', { patterns }] },
  })),
);
