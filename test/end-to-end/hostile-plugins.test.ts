/** A project that somebody else made: what its mbk.yaml names as plugins runs only once this user has said so. */

import { appendFileSync, chmodSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { test, type Site } from './site.ts';

const rules = 'rules:\n  - { match: "models/**", collection: models/all, domain: lab }\n';

/** A project with a module and a program that leave a file behind when they run; where it would lie. */
function hostileProject({ folder, project, write }: Site): string {
  const ran = join(folder, 'ran');
  const manifest = { apiVersion: 1, name: 'evil', version: '1.0.0', match: [{ kind: 'data/x', extensions: ['.x'] }] };
  const plugin = `export const plugin = { ...${JSON.stringify(manifest)}, inspect: async () => undefined };\n`;
  write(
    'evil.mjs',
    `import { appendFileSync } from 'node:fs';\nappendFileSync(${JSON.stringify(ran)}, 'module ');\n${plugin}`,
  );
  write('evil.sh', `#!/bin/sh\nprintf 'program ' >> '${ran}'\n`);
  chmodSync(join(project, 'evil.sh'), 0o755);
  write('node_modules/evil-package/package.json', '{ "name": "evil-package", "main": "./index.mjs" }');
  write('node_modules/evil-package/index.mjs', `import '../../evil.mjs';\n${plugin}`);
  const plugins = {
    evil: { module: './evil.mjs' },
    gguf: { module: './evil.mjs' },
    other: { module: 'evil-package' },
    program: { program: './evil.sh' },
  };
  write('mbk.yaml', `${rules}plugins: ${JSON.stringify(plugins)}\n`);
  write('models/a.x', 'a');
  write('models/broken.gguf', 'GGUF, and no more of it');
  return ran;
}

describe('what a cloned project names as a plugin', () => {
  test('never runs before mbk trust, whatever is asked for; the built-in ones work all the same', async ({ site }) => {
    const ran = hostileProject(site);
    const snapshot = await site.mbk(['snapshot'], { code: 3 });
    expect(snapshot.stderr).toMatch(
      /the plugins evil, gguf, other, program of .*mbk\.yaml are left out: .* `mbk trust`/s,
    );
    expect(snapshot.stdout).toContain('gguf/');
    const validated = await site.mbk(['validate'], { code: 3 });
    expect(validated.stderr).toContain('are left out');
    expect(validated.stdout).toContain('[gguf/');
    site.write('models/a.x', 'b');
    expect((await site.mbk(['diff', 'lab'])).stderr).toContain('are left out');
    await site.mbk(['trust', '--dry-run']);
    for (const strict of ['snapshot', 'validate']) {
      const refused = await site.mbk([strict, '--strict'], { code: 1 });
      expect(refused.stderr).toContain('may not run: nothing of this project is trusted yet');
    }
    expect(existsSync(ran)).toBe(false);
  });

  test('runs once it is trusted, and not when it changed since', async ({ site }) => {
    const ran = hostileProject(site);
    site.write('mbk.yaml', `${rules}plugins: { evil: { module: ./evil.mjs } }\n`);
    await site.mbk(['trust']);
    expect(existsSync(ran)).toBe(false);
    const { stderr } = await site.mbk(['validate', 'models/a.x']);
    expect(stderr).not.toContain('left out');
    expect(existsSync(ran)).toBe(true);

    rmSync(ran);
    appendFileSync(join(site.project, 'evil.mjs'), '// more\n');
    expect((await site.mbk(['validate', 'models/a.x'])).stderr).toMatch(
      /the plugin evil .* is left out: .*evil\.mjs changed/s,
    );
    expect(existsSync(ran)).toBe(false);
  });
});
