/** One known trouble, looked for. `fix`: null when all is well. */
export interface Finding {
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'trouble';
  readonly found: string;
  readonly fix: string | null;
}

/** How long anything that is looked for may take to answer, ms. */
export const waitMs = 3_000;

export const ok = (name: string, found: string): Finding => ({ name, status: 'ok', found, fix: null });
export const warning = (name: string, found: string, fix: string): Finding => ({ name, status: 'warning', found, fix });
export const trouble = (name: string, found: string, fix: string): Finding => ({ name, status: 'trouble', found, fix });
