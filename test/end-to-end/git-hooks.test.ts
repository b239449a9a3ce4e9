/** Git hooks with stock Git: a deploy is preceded by a snapshot that is named after it. */

import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { runHere } from '../run-here.ts';
import { shell, test, type Site } from './site.ts';

/** A project below a Git repository, with a bare one beside it to push to; Git is called as a user calls it. */
function lab(site: Site): {
  readonly git: (script: string, options?: { readonly mayFail?: boolean; readonly cwd?: string }) => string;
  readonly mbk: (args: readonly string[], code?: number, cwd?: string) => Promise<string>;
  readonly tags: () => Promise<readonly string[]>;
} {
  const secrets = Object.entries(site.env).map(([name, value]) => `export ${name}='${value ?? ''}'\n`);
  const setup = `${secrets.join('')}unset NODE_OPTIONS\ngit() { command git -c user.name=a -c user.email=a@b -c protocol.file.allow=always "$@"; }\n`;
  const git = (script: string, { mayFail = false, cwd = site.project } = {}): string =>
    shell(`${setup}${script}`, cwd, { mayFail });
  const mbk = async (args: readonly string[], code = 0, cwd = site.project): Promise<string> => {
    const env = { ...site.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' };
    const ended = await runHere(args, { cwd, env });
    expect(ended.code, `mbk ${args.join(' ')}\n${ended.stdout}${ended.stderr}`).toBe(code);
    return ended.stdout + ended.stderr;
  };
  git('git init -q --bare ../remote.git && git init -q -b main . && git remote add origin ../remote.git');
  site.write('lab/mbk.yaml', 'rules:\n  - { match: "models/**", collection: models/all, domain: lab }\n');
  site.write('lab/models/a.bin', 'weights');
  git('git add . && git commit -q -m first');
  const tags = async (): Promise<readonly string[]> => {
    const { tags: list } = JSON.parse(await mbk(['tag', '--json'])) as { readonly tags: readonly { name: string }[] };
    return list.map(({ name }) => name);
  };
  return { git, mbk, tags };
}

function program(path: string, script: string): void {
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
}

describe('git push', () => {
  test('makes the snapshot first, named after what is deployed; a hook that was there runs before it', async ({
    site,
  }) => {
    const { git, mbk, tags } = lab(site);
    const hooks = join(site.project, '.git/hooks');
    mkdirSync(hooks, { recursive: true });
    program(join(hooks, 'pre-push'), `cat > ../earlier-input; echo "$@" > ../earlier-arguments; exit 0`);
    const before = readFileSync(join(hooks, 'pre-push'));
    await mbk(['hook', 'install', 'pre-push'], 0, join(site.project, 'lab'));
    const commit = git('git rev-parse HEAD').trim();

    git('git push -q origin main');
    expect(await tags()).toContain(`lab/deploy-${commit.slice(0, 12)}`);
    expect(git('git --git-dir ../remote.git rev-parse main').trim()).toBe(commit);
    expect(readFileSync(join(site.folder, 'earlier-input'), 'utf8')).toBe(
      `refs/heads/main ${commit} refs/heads/main ${'0'.repeat(40)}\n`,
    );
    expect(readFileSync(join(site.folder, 'earlier-arguments'), 'utf8')).toBe('origin ../remote.git\n');
    const shown = JSON.parse(await mbk(['show', `lab/deploy-${commit.slice(0, 12)}`, '--json'])) as object;
    expect(shown).toMatchObject({
      message: `before a push of main (${commit.slice(0, 12)}) to origin`,
      source: { git: { commit, branch: 'main', dirty: false } },
    });

    // The same commit again, by another name: the tag is numbered.
    git('git push -q origin main:release');
    expect(await tags()).toContain(`lab/deploy-${commit.slice(0, 12)}.2`);
    // Nothing is deployed by a deletion.
    const count = (await tags()).length;
    git('git push -q origin :release');
    expect((await tags()).length).toBe(count);

    await mbk(['hook', 'uninstall']);
    expect(readFileSync(join(hooks, 'pre-push'))).toEqual(before);
    expect(existsSync(join(hooks, 'pre-push.before-mbk'))).toBe(false);
  });

  test('is stopped by a snapshot that fails, and by a hook that was there', async ({ site }) => {
    const { git, mbk } = lab(site);
    const hooks = join(site.project, '.git/hooks');
    await mbk(['hook', 'install', 'pre-push'], 0, join(site.project, 'lab'));
    const isPushed = (): boolean => git('git --git-dir ../remote.git branch').includes('main');
    git('MBK_KEY_FILE=/nowhere git push -q origin main', { mayFail: true });
    expect(isPushed()).toBe(false);

    program(join(hooks, 'pre-push.before-mbk'), 'exit 1');
    git('git push -q origin main', { mayFail: true });
    expect(isPushed()).toBe(false);
    rmSync(join(hooks, 'pre-push.before-mbk'));

    await mbk(['hook', 'uninstall', 'pre-push']);
    git('git push -q origin main');
    expect(isPushed()).toBe(true);
  });
});

describe('git push with --strict', () => {
  test('is stopped by what a plugin finds, before there is a snapshot; without it is told and goes on', async ({
    site,
  }) => {
    const { git, mbk, tags } = lab(site);
    const isPushed = (): boolean => git('git --git-dir ../remote.git branch').includes('main');
    site.write('lab/models/broken.gguf', 'GGUF, and no more of it');
    await mbk(['hook', 'install', 'pre-push', '--strict'], 0, join(site.project, 'lab'));
    git('git push -q origin main', { mayFail: true });
    expect(isPushed()).toBe(false);
    expect(await tags()).toEqual([]);

    await mbk(['hook', 'install', 'pre-push'], 0, join(site.project, 'lab'));
    git('git push -q origin main');
    expect(isPushed()).toBe(true);
    expect(await tags()).toContain(`lab/deploy-${git('git rev-parse HEAD').trim().slice(0, 12)}`);

    // What is mended goes through.
    rmSync(join(site.project, 'lab/models/broken.gguf'));
    await mbk(['hook', 'install', 'pre-push', '--strict'], 0, join(site.project, 'lab'));
    git('git push -q origin main:release');
    expect(git('git --git-dir ../remote.git branch')).toContain('release');
  });
});

describe('a hook', () => {
  test('is found through core.hooksPath and from a worktree, and works in both', async ({ site }) => {
    const { git, mbk, tags } = lab(site);
    git('mkdir hooks && git config core.hooksPath hooks && git worktree add -q -b other ../other');
    const other = join(site.folder, 'other');
    await mbk(['hook', 'install', 'post-merge'], 0, join(site.project, 'lab'));
    expect(existsSync(join(site.project, 'hooks/post-merge'))).toBe(true);
    git('git config --unset core.hooksPath');
    await mbk(['hook', 'install', 'post-merge'], 0, join(other, 'lab'));
    expect(await mbk(['hook', 'list'], 0, other)).toMatch(/post-merge\s+installed/);
    expect(existsSync(join(site.project, '.git/hooks/post-merge'))).toBe(true);

    site.write('lab/models/b.bin', 'more weights');
    git('git add . && git commit -q -m second');
    git('git merge -q main', { cwd: other });
    const commit = git('git rev-parse HEAD', { cwd: other }).trim();
    expect(await tags()).toContain(`lab/merge-${commit.slice(0, 12)}`);
  });

  test('of all repositories of a user is not touched, and outside of Git there is none', async ({ site }) => {
    const { git, mbk } = lab(site);
    const config = join(site.folder, 'gitconfig');
    writeFileSync(config, `[core]\n\thooksPath = ${site.folder}/shared\n`);
    const env = { ...site.env, GIT_CONFIG_GLOBAL: config };
    const refused = await runHere(['hook', 'install', 'pre-push'], { cwd: site.project, env });
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('core.hooksPath of the global configuration');
    expect(await mbk(['hook', 'list'], 1, site.folder)).toContain('git rev-parse');
    git('git config core.hooksPath .git/hooks');
    expect((await runHere(['hook', 'install', 'pre-push'], { cwd: site.project, env })).code).toBe(0);
  });
});
