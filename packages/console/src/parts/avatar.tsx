const hues = 6;

/** A tutor's initial on a colour of its own. */
export function Avatar({ id, name, large = false }: { readonly id: string; readonly name: string; readonly large?: boolean }) {
  const [initial = '?'] = name.trim();
  return (
    <span className={`avatar avatar-${hueOf(id)}${large ? ' avatar-large' : ''}`} aria-hidden="true">
      {initial.toLocaleUpperCase()}
    </span>
  );
}

function hueOf(id: string): number {
  const sum = [...id].reduce((total, letter) => (total * 31 + (letter.codePointAt(0) ?? 0)) % 9973, 7);
  return sum % hues;
}
