import { useEffect, useState } from 'preact/hooks';

const themes = ['auto', 'light', 'dark'] as const;
type Theme = (typeof themes)[number];
const labels = { auto: 'As the system', light: 'Light', dark: 'Dark' } as const;
const icons = {
  auto: 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1zm0 1.5v11a5.5 5.5 0 0 1 0-11z',
  light:
    'M8 4.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7zM7.3 0h1.4v2.6H7.3zm0 13.4h1.4V16H7.3zM0 7.3h2.6v1.4H0zm13.4 0H16v1.4h-2.6zM2.3 3.3l1-1 1.9 1.8-1 1zm8.5 8.6 1-1 1.9 1.8-1 1zM2.3 12.7l1.9-1.8 1 1-1.9 1.8zm8.5-8.6 1.9-1.8 1 1-1.9 1.8z',
  dark: 'M6.2 1.3a6.8 6.8 0 1 0 8.5 8.5A5.6 5.6 0 0 1 6.2 1.3z',
} as const;

/** A button that goes through the themes; the choice is not kept, for nothing of a page is. */
export function ThemeSwitch() {
  const [theme, setTheme] = useState<Theme>('auto');
  useEffect(() => {
    document.documentElement.dataset['theme'] = theme;
  }, [theme]);
  const next = themes[(themes.indexOf(theme) + 1) % themes.length] ?? 'auto';
  return (
    <button
      type="button"
      class="icon-button"
      onClick={() => setTheme(next)}
      title={`Colours: ${labels[theme]}`}
      aria-label={`Colours: ${labels[theme]}. Change to: ${labels[next]}`}
    >
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
        <path fill="currentColor" fill-rule="evenodd" d={icons[theme]} />
      </svg>
    </button>
  );
}
