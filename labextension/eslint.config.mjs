import js from '@eslint/js';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true } },
    plugins: { 'react-hooks': reactHooks },
    rules: {
      ...reactHooks.configs.recommended.rules,
      // JupyterLab's own convention: an interface is named I<Thing>, tokens share a name with a namespace.
      '@typescript-eslint/no-namespace': 'off',
      // Numbers read well in template strings.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // A Lumino signal takes a method and, beside it, the object to call it on.
      '@typescript-eslint/unbound-method': 'off'
    }
  }
);
