import { useStaff } from '../engine/staff.tsx';
import { hrefOf, type Route } from '../router.ts';
import { useSpeech } from '../texts/use-language.tsx';
import { LanguageSwitch } from './language-switch.tsx';
import { sayRoles } from './staff-only.tsx';

export function TopBar({ route }: { readonly route: Route }) {
  const { say, language } = useSpeech();
  const { signIn, signOut } = useStaff();
  const signedIn = signIn.status === 'signedIn';
  return (
    <header className="top-bar">
      <a className="brand" href={hrefOf({ view: 'home' })}>
        <img src="./mark.svg" alt="" width="28" height="28" />
        <span>{say('productName')}</span>
      </a>
      {signedIn ? <Navigation route={route} /> : null}
      <div className="top-bar-end">
        {signedIn && signIn.withKey ? (
          <>
            <span className="roles">{say('rolesAre', { roles: sayRoles(signIn.roles, say, language) })}</span>
            <button type="button" className="button button-quiet" onClick={signOut}>
              {say('signOut')}
            </button>
          </>
        ) : null}
        <LanguageSwitch />
      </div>
    </header>
  );
}

function Navigation({ route }: { readonly route: Route }) {
  const { say } = useSpeech();
  const links = [
    { href: hrefOf({ view: 'home' }), text: say('navHome'), current: route.view === 'home' },
    { href: hrefOf({ view: 'desk', tab: 'tutors', id: null }), text: say('navDesk'), current: route.view === 'desk' },
    { href: hrefOf({ view: 'audit' }), text: say('navAudit'), current: route.view === 'audit' || route.view === 'replay' },
  ];
  return (
    <nav aria-label={say('mainNavigation')}>
      {links.map(({ href, text, current }) => (
        <a key={href} href={href} aria-current={current ? 'page' : undefined}>
          {text}
        </a>
      ))}
    </nav>
  );
}
