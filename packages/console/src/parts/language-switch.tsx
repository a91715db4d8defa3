import { useSpeech } from '../texts/use-language.tsx';

/** Each language names itself, so that whoever reads only that one finds it. */
export function LanguageSwitch() {
  const { language, setLanguage } = useSpeech();
  const other = language === 'en' ? 'zh' : 'en';
  return (
    <button
      type="button"
      className="button button-quiet language-switch"
      lang={other === 'zh' ? 'zh-CN' : 'en'}
      onClick={() => setLanguage(other)}
    >
      {other === 'zh' ? '中文' : 'English'}
    </button>
  );
}
