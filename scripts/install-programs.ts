import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';

/** What the tests drive, by a path that its Debian package brings. */
const debianPackages: Readonly<Record<string, string>> = {
  '/usr/bin/chromium': 'chromium',
  '/usr/bin/espeak-ng': 'espeak-ng',
  '/usr/bin/flite': 'flite',
  '/usr/lib/postgresql': 'postgresql',
  '/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc': 'fonts-noto-cjk',
};

/** As root on Debian, installs what is missing; elsewhere the tests use what is there. */
export function installPrograms(): void {
  const wanted = Object.entries(debianPackages).flatMap(([path, name]) => (existsSync(path) ? [] : [name]));
  if (wanted.length === 0 || !existsSync('/usr/bin/apt-get') || userInfo().uid !== 0) return;
  console.log(`Installing ${wanted.join(', ')} for the tests (once)...`);
  if (!installed(wanted) && !installed(wanted)) console.log('They could not be installed: what needs them is named at the end.');
}

function installed(packages: readonly string[]): boolean {
  return apt(['update']) && apt(['install', '-y', '--no-install-recommends', ...packages]);
}

function apt(args: readonly string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // Another apt may be at work, as on a machine that has just started: wait for it.
  const { status, stdout, stderr } = spawnSync('apt-get', ['-o', 'DPkg::Lock::Timeout=120', ...args], { env, encoding: 'utf8' });
  if (status !== 0) console.log(`${stdout}\n${stderr}`.trim().split('\n').slice(-15).join('\n'));
  return status === 0;
}
