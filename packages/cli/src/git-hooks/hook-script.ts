/**
 * The scripts that mbk puts into the hooks folder of a Git repository.
 *
 * A script is plain `sh`, names Node and mbk by absolute path (a push from an editor has another PATH), and starts first
 * what was there before it, with the same arguments and the same input. Its first lines carry a hash of the rest, so that a
 * script that somebody changed is told from one that mbk may take away.
 */

import { createHash } from 'node:crypto';
import { shellWord } from '../shell-word.ts';

export const gitHookNames = ['pre-push', 'pre-commit', 'post-merge', 'post-checkout'] as const;
export type GitHookName = (typeof gitHookNames)[number];

export interface HookScriptOptions {
  readonly name: GitHookName;
  /** Absolute path of Node. */
  readonly node: string;
  /** Absolute path of the launcher of mbk. */
  readonly mbk: string;
  /** Where mbk is run: relative to the top of the working folder, or absolute. */
  readonly project: string;
  readonly plan: string | undefined;
  /** Absolute path of the repository; undefined for the one that the environment or `mbk.yaml` names. */
  readonly repo: string | undefined;
  readonly strict: boolean;
}

/** What was there before goes on under this name, beside the script. */
export const earlierSuffix = '.before-mbk';

const mark = '# mbk-git-hook 1 ';

export function renderHookScript(options: HookScriptOptions): string {
  const body = scriptBody(options);
  return `#!/bin/sh\n${mark}${sha256(body)}\n${body}`;
}

/** What a script of mbk was made with; `changed` for one that was edited; undefined for what is none. */
export function readHookScript(text: string): HookScriptOptions | 'changed' | undefined {
  const [shebang, marked = '', ...rest] = text.split('\n');
  if (shebang !== '#!/bin/sh' || !marked.startsWith(mark)) return undefined;
  const body = rest.join('\n');
  if (marked.slice(mark.length) !== sha256(body)) return 'changed';
  const [, json] = /^# options: (.*)$/m.exec(body) ?? [];
  return JSON.parse(json ?? '') as HookScriptOptions; // the hash says that mbk wrote it
}

function scriptBody(options: HookScriptOptions): string {
  const { mbk, name, node, plan, project, repo, strict } = options;
  const takesInput = name === 'pre-push';
  const args = [
    ...(plan === undefined ? [] : ['--plan', plan]),
    ...(repo === undefined ? [] : ['--repo', repo]),
    ...(strict ? ['--strict'] : []),
  ];
  const words = ['"$node" "$mbk" hook run', name, ...args.map(shellWord), '-- "$@"'].join(' ');
  const feed = takesInput ? 'printf %s "$input" | ' : '';
  return `# Written by mbk hook install; taken away by: mbk hook uninstall ${name}
# options: ${JSON.stringify(options)}
node=${shellWord(node)}
mbk=${shellWord(mbk)}
earlier=$0${earlierSuffix}
${takesInput ? '# The list of what is pushed, for both; the x keeps the newline at its end.\ninput=$(cat && echo x) && input=${input%x}\n' : ''}if [ -x "$earlier" ]; then
  ${feed}"$earlier" "$@" || exit
fi
if [ ! -x "$node" ] || [ ! -f "$mbk" ]; then
  echo "mbk is not where it was ($mbk, run by $node): run mbk hook install ${name} again" >&2
  exit 1
fi
# Git names this repository in variables that would mislead whoever looks at another one.
unset $(git rev-parse --local-env-vars)
cd ${shellWord(project)} || exit
${feed}${words}
`;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
