// The look. A page sets the --maillon-… properties; light or dark follows its color-scheme.

export const sheet = new CSSStyleSheet();
sheet.replaceSync(`
:host {
	--accent: var(--maillon-accent, light-dark(#1f5fa8, #8fbdf0));
	--on-accent: var(--maillon-on-accent, light-dark(#fff, #10151a));
	--text: var(--maillon-text, light-dark(#1b2430, #e8ebee));
	--surface: var(--maillon-surface, light-dark(#fff, #1d232a));
	--mark: var(--maillon-mark, light-dark(#ffd6a3, #7a4c14));
	--alert: var(--maillon-alert, light-dark(#a3261a, #ff9c8f));
	--radius: var(--maillon-radius, .6em);
	--soft: color-mix(in srgb, var(--text) 75%, var(--surface));
	--line: color-mix(in srgb, var(--text) 17%, var(--surface));
	display: block; color: var(--text); font: 1em/1.5 var(--maillon-font, system-ui, sans-serif);
}
* { box-sizing: border-box; min-width: 0; margin: 0; padding: 0; font: inherit; color: inherit; overflow-wrap: break-word; }
ul, ol { list-style: none; }
:host([hidden]), [hidden] { display: none !important; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
p, small, details, .opinion { font-size: .9em; color: var(--soft); }
details *, .opinion * { font-size: 1em; }
summary, a, .chips button, .fit3 { color: var(--accent); }
summary, button, [role=option] { cursor: pointer; }
label[for], legend, h2, strong, .strong, .error, .main, .fit3 { font-weight: 650; }
input, select, button, form details div, ol > li, .gap, [role=listbox] { background: var(--surface); border: 1px solid var(--line); border-radius: var(--radius); }
input, select { display: block; width: 100%; height: 2.6em; padding: 0 .8em; border-color: var(--soft); }
button { padding: .3em .8em; }
button:hover, .fit3 { border-color: currentcolor; }
.main { padding: .6em 1.3em; border: 0; background: var(--accent); color: var(--on-accent); }
.error { color: var(--alert); }
.error::first-letter { text-transform: uppercase; }
.unseen { position: absolute; clip-path: inset(50%); }

.field, .place, .chips, .facts, .opinion, .opinion form, ol > li { display: flex; flex-wrap: wrap; gap: .4em; align-items: center; }
.field { position: relative; align-items: stretch; margin: .4em 0; }
#need { flex: 99 16em; height: 3em; }
.field .main { flex: 1 0 auto; }
[role=listbox] { position: absolute; z-index: 9; top: 3.3em; width: 100%; padding: .3em; box-shadow: 0 .5em 1.5em #0004; }
[role=option] { display: flex; gap: 1em; padding: .35em .6em; }
[role=option]:hover, [aria-selected=true], [aria-pressed=true] { background: color-mix(in srgb, var(--accent) 16%, var(--surface)); }
.chips, form > details { margin-top: .6em; }
.chips button, .chips span, .facts li, .fit { padding: .1em .7em; border: 1px solid var(--line); border-radius: 1em; font-size: .85em; }
form details div { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 14em), 1fr)); gap: 1.2em 1.8em; padding: 1em; }
fieldset { border: 0; }
fieldset ul { max-height: 14em; padding: .2em; overflow-y: auto; }
fieldset li label { display: flex; gap: .5em; padding: .2em 0; }
small { flex: none; margin-left: auto; }
[type=checkbox] { flex: none; width: 1.1em; height: 1.1em; margin-top: .15em; accent-color: var(--accent); }
.place { grid-column: 1 / -1; gap: .4em 1em; }
div > button { grid-column: 1; justify-self: start; }

[role=status] { margin-top: 1.2em; }
.gap { margin-bottom: .6em; padding: .7em 1em; border-left: .3em solid var(--mark); color: inherit; }
ol > li { gap: .5em 1em; margin: .8em 0; padding: 1em; }
h2 { flex: 1; font-size: 1.1em; }
h2 button { padding: 0; border: 0; text-align: start; }
p, .facts, details[open], .opinion form { flex: 1 0 100%; align-items: end; }
.capability { font-size: 1em; color: inherit; }
mark { border-radius: .2em; background: color-mix(in srgb, var(--mark) 55%, transparent); }
.strong { background: var(--mark); }
li details { flex: 12em; }
li details ul { padding-left: 1.2em; list-style: disc; }
details > * + * { margin-top: .3em; }
.place label, .opinion label { display: grid; flex: 14em; gap: .2em; }
@media print { form, .main, .opinion { display: none; } }
`);
