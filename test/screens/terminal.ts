/** A terminal of a given size in tmux: keys go in, screens come out. */

import { execFileSync, spawnSync } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';

export interface Terminal {
  /** Types text, and then Enter unless it is a key of tmux such as `Down`. */
  type(text: string): void;
  key(name: string): void;
  /** The screen with its colours, as soon as it shows `pattern`. */
  shows(pattern: RegExp): Promise<string>;
  close(): void;
}

export function hasTmux(): boolean {
  return spawnSync('tmux', ['-V']).status === 0;
}

/** Opens one; a shell runs in it, in `cwd`, with `env` and nothing else. */
export function openTerminal(
  name: string,
  options: { readonly columns: number; readonly rows: number; readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Terminal {
  const { columns, rows, cwd, env } = options;
  const tmux = (...args: readonly string[]): string =>
    execFileSync('tmux', ['-L', name, '-f', '/dev/null', ...args], { env, encoding: 'utf8' });
  const shell = 'exec bash --norc --noprofile';
  tmux('new-session', '-d', '-x', String(columns), '-y', String(rows), '-c', cwd, shell);
  const screen = (): string => tmux('capture-pane', '-p', '-e');
  return {
    type(text) {
      tmux('send-keys', '-l', text);
      tmux('send-keys', 'Enter');
    },
    key: (key) => void tmux('send-keys', key),
    async shows(pattern) {
      for (let tries = 0; tries < 1200; tries += 1) {
        await pause(50);
        const now = screen();
        // oxlint-disable-next-line no-control-regex -- colours begin with one
        if (pattern.test(now.replace(/\u001b\[[\d;]*m/g, ''))) {
          await pause(250); // what is being drawn is drawn
          return screen();
        }
      }
      throw new Error(`the terminal never showed ${pattern}:\n${screen()}`);
    },
    close: () => void tmux('kill-server'),
  };
}
