/** The page of all error codes, from the table in the code. */

import { errorTable, exitCodes, findingTable } from '@mbk/core';

const exitMeanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  done: 'done',
  failed: 'it failed',
  usage: 'it was called in a way that does not fit',
  incomplete: 'done, and something needs a look: not every file could be taken whole',
  noRepository: 'there is no repository',
  lostRace: 'other writers were faster every time',
  wrongKey: 'no, or the wrong, passphrase or key',
  roleMayNot: 'the role of the key does not allow it',
  damaged: 'something is damaged',
  interrupted: 'it was interrupted',
};

/** `docs/errors.md`. */
export function errorsPage(): string {
  const exits = Object.entries(exitCodes).map(
    ([name, code]) => `| ${code} | ${exitMeanings[name as keyof typeof exitCodes]} |`,
  );
  const codes = Object.entries(errorTable).map(([code, { exit, meaning, remedy, retry }]) => {
    return `| \`${code}\` | ${exit} | ${cell(meaning)} | ${cell(remedy)}${retry === true ? ' *' : ''} |`;
  });
  const findings = Object.entries(findingTable).map(
    ([code, { meaning, remedy }]) => `| \`${code}\` | ${cell(meaning)} | ${cell(remedy)} |`,
  );
  return `# Errors

Every error that mbk reports has a code, which never changes its meaning: scripts and \`--json\` readers may rely on codes
and exit codes, and not on messages. With \`--json\` an error is an object with \`code\`, \`message\`, \`remedy\` and
\`details\`.

This page is made from the table in \`packages/core/src/errors.ts\` by \`test/docs/make-errors.ts\`; a test holds them equal.

## Exit codes

| exit code | meaning |
|---|---|
${exits.join('\n')}

## Codes

\\* The same call may succeed when it is repeated unchanged.

| code | exit code | meaning | what to do |
|---|---|---|---|
${codes.join('\n')}

## What a verification finds

The findings of \`mbk verify\` have codes of their own, which stand beside each with \`--json\`. This table is that in
\`packages/core/src/operations/verify/findings.ts\`.

| code | meaning | what to do |
|---|---|---|
${findings.join('\n')}
`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
