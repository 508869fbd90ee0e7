"""The page at ``/``: fill in a row, see the answer. One document, no outside request."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import math
from typing import Any

from .signature import Column, Signature

_STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--quiet:#59636e;--line:#d1d9e0;--paper:#fff;--soft:#f5f7f9;--accent:#00689d;--on:#fff;--bad:#b3261e;
font:16px/1.5 system-ui,sans-serif}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--quiet:#9aa5b1;--line:#3a434d;--paper:#15191e;--soft:#1d232a;--accent:#5cb3e6;--on:#0b1218;--bad:#ff8a80}}
*{box-sizing:border-box}
body{max-width:44rem;margin:0 auto;padding:2.5rem 1.25rem 4rem;color:var(--ink);background:var(--paper)}
h1{margin:0;font-size:1.75rem;line-height:1.2;overflow-wrap:anywhere}
h2{margin:0 0 .5rem;font-size:1rem}
header p{margin:.5rem 0 0;color:var(--quiet)}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.15rem 1rem;margin:.75rem 0 0;font-size:.875rem}
dt{color:var(--quiet)}dd{margin:0;overflow-wrap:anywhere}
code,pre,input,select{font-family:ui-monospace,SFMono-Regular,Consolas,monospace;font-size:.9375rem}
form{margin-top:2rem;padding:1.25rem;border:1px solid var(--line);border-radius:.5rem;background:var(--soft)}
.row{display:grid;grid-template-columns:minmax(0,2fr) minmax(0,3fr);gap:.25rem 1rem;align-items:start;margin-bottom:.75rem}
.row label,.row .name{padding-top:.45rem;font-weight:600;overflow-wrap:anywhere}
small{display:block;color:var(--quiet);font-size:.8125rem;font-weight:400;overflow-wrap:anywhere}
input,select{width:100%;min-height:2.4rem;padding:.35rem .6rem;border:1px solid var(--line);border-radius:.35rem;color:inherit;background:var(--paper)}
input:focus-visible,select:focus-visible,button:focus-visible,a:focus-visible,summary:focus-visible{outline:2px solid var(--accent);outline-offset:1px}
.bar{display:flex;flex-wrap:wrap;gap:.75rem;align-items:center;justify-content:space-between;margin-top:1rem}
.bar label{display:flex;gap:.5rem;align-items:center;color:var(--quiet);font-size:.875rem}.bar select{width:auto}
button{min-height:2.4rem;padding:.35rem 1rem;border:1px solid var(--line);border-radius:.35rem;color:inherit;background:var(--paper);font:inherit;cursor:pointer}
form button{min-width:8rem;border-color:var(--accent);color:var(--on);background:var(--accent);font-weight:600}
output{display:block;margin-top:1.5rem;padding:1rem 1.25rem;border-left:4px solid var(--accent);background:var(--soft);overflow-wrap:anywhere}
output.bad{border-color:var(--bad)}
output b{display:block;font-size:2rem;line-height:1.25}output span{color:var(--quiet);font-size:.875rem;white-space:pre-wrap}
details{margin-top:1.5rem;border-top:1px solid var(--line);padding-top:1rem}summary{cursor:pointer}details h2{margin:1.25rem 0 0}
pre{margin:.75rem 0;padding:.75rem;border-radius:.35rem;background:var(--soft);white-space:pre-wrap;overflow-wrap:anywhere}
a{color:var(--accent)}
@media(max-width:30rem){.row{grid-template-columns:minmax(0,1fr)}.row label,.row .name{padding-top:0}}
"""

_SCRIPT = """
const form=document.querySelector('form'),out=document.querySelector('output');
const told=JSON.parse(document.getElementById('fields').textContent),fields=told.fields;
const answers=location.href.replace(/[?#].*$/,'').replace(/[^/]*$/,'')+'predict';
function value(field,text){
  if(text===''&&(field.nullable||field.type!=='string'))return null;
  if(field.type==='boolean')return text==='true';
  if(field.type==='integer'){
    const digits=text.trim();  // sent as they are: a number of the browser's own would lose the last digits
    return /^[+-]?\\d+$/.test(digits)?{raw:digits.replace(/^\\+/,'').replace(/^(-?)0+(?=\\d)/,'$1')}:text;
  }
  if(field.type==='number')return text.trim()!==''&&Number.isFinite(Number(text))?Number(text):text;
  if(field.type==='any'){try{return JSON.parse(text)}catch{return text}}
  return text;
}
function body(){
  const parts=fields.map((field,at)=>{
    const made=value(field,form.elements['f'+at].value);
    return JSON.stringify(field.name)+':'+(made&&made.raw!==undefined?made.raw:JSON.stringify(made));
  });
  return '{"rows":[{'+parts.join(',')+'}]}';
}
function write(){
  const sent=body(),key=form.elements.key?" -H 'X-API-Key: YOUR_KEY'":'';
  document.getElementById('curl').textContent="curl -s '"+answers+"' -H 'Content-Type: application/json'"+key+" -d '"+sent.replace(/'/g,"'\\\\''")+"'";
  document.getElementById('python').textContent='import requests\\n\\nanswer = requests.post(\\n    '+JSON.stringify(answers)+',\\n    data='
    +(/['\\\\]/.test(sent)?JSON.stringify(sent):"'"+sent+"'")+'.encode(),\\n    headers={"Content-Type": "application/json"'+(key?', "X-API-Key": "YOUR_KEY"':'')
    +'},\\n    timeout=10,\\n)\\nprint(answer.json())';
}
function show(bad,first,...rest){
  out.hidden=false;out.className=bad?'bad':'';
  const parts=[document.createElement(bad?'div':'b'),document.createElement('span')];
  parts[0].textContent=first;parts[1].textContent=rest.join('\\n');
  out.replaceChildren(parts[0],'\\n',parts[1]);
}
form.addEventListener('input',event=>{
  if(event.target.id==='example'){
    told.examples[event.target.value].forEach((text,at)=>{form.elements['f'+at].value=text});
    out.hidden=true;
  }
  write();
});
form.addEventListener('submit',async event=>{
  event.preventDefault();
  const headers={'Content-Type':'application/json'},key=form.elements.key?form.elements.key.value:'';
  if(key)headers['X-API-Key']=key;
  const from=performance.now();
  try{
    const answer=await fetch('predict',{method:'POST',headers,body:body()});
    const text=await answer.text(),made=JSON.parse(text);
    if(!answer.ok)show(true,made.error.message,...made.error.details.map(d=>(d.field||'')+': '+d.reason));
    else if(made.errors.length)show(true,made.errors.map(e=>e.reason).join('\\n'));
    else show(false,form.dataset.prediction+' = '+JSON.stringify(made.predictions[0]),made.model+', '+Math.round(performance.now()-from)+' ms');
  }catch(error){show(true,'No answer: '+error.message)}
});
for(const button of document.querySelectorAll('button[data-copy]'))button.addEventListener('click',async()=>{
  const text=document.getElementById(button.dataset.copy).textContent;
  try{await navigator.clipboard.writeText(text);button.textContent='Copied'}
  catch{getSelection().selectAllChildren(document.getElementById(button.dataset.copy));button.textContent='Selected: press Ctrl+C'}
});
write();
"""


def _digest(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


_POLICY = (
    f"default-src 'none'; style-src {_digest(_STYLE)}; script-src {_digest(_SCRIPT)}; connect-src 'self'; img-src data:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = (
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
_LISTED = 50
"""Categories that a field offers; more of them are typed."""


def render(
    signature: Signature,
    name: str,
    examples: list[dict[str, Any]],
    *,
    needs_key: bool = False,
    proved: str | None = None,
) -> bytes:
    """The page's document; with a field for the API key where the service asks for one, and what came of the release's proof."""
    filled = examples[0] if examples else {}
    told = {
        "fields": [{"name": c.key, "type": c.type, "nullable": c.nullable} for c in signature.fields],
        "examples": [[_shown(row.get(c.key), c) for c in signature.fields] for row in examples],
    }
    inputs = "\n".join(_input(at, column, filled.get(column.key)) for at, column in enumerate(signature.fields))
    embedded = json.dumps(told).replace("<", "\\u003c")
    text = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{html.escape(name)}</title><link rel="icon" href="data:,"><style>{_STYLE}</style></head>
<body><header><h1>{html.escape(signature.model)}</h1>
{_about(signature, name, proved)}</header>
<main><form data-prediction="{html.escape(signature.prediction.name)}" aria-label="A row to predict">
{inputs}
{_KEY if needs_key else ""}
<div class="bar">{_choice(examples)}<button>Predict</button></div></form>
<output hidden aria-live="polite"></output>
<details><summary>The same from a program</summary>
<h2>curl</h2><pre id="curl"></pre><button type="button" data-copy="curl">Copy</button>
<h2>Python</h2><pre id="python"></pre><button type="button" data-copy="python">Copy</button></details></main>
<script type="application/json" id="fields">{embedded}</script><script>{_SCRIPT}</script></body></html>
"""
    return text.encode("utf-8", "replace")


_KEY = (
    '<div class="row"><label for="key">API key <small>this service asks for one</small></label>'
    '<input id="key" name="key" type="password" autocomplete="off"></div>'
)


def _about(signature: Signature, name: str, proved: str | None) -> str:
    facts = [("Release", f"<code>{html.escape(name)}</code>")]
    if proved:
        facts.append(("Proof", html.escape(proved)))
    if signature.owner:
        facts.append(("Owner", html.escape(signature.owner)))
    if signature.runbook:
        facts.append(("Runbook", html.escape(signature.runbook)))
    facts.append(("API", '<a href="docs.json">docs.json</a> · <a href="signature">signature</a>'))
    lines = "".join(f"<dt>{term}</dt><dd>{text}</dd>" for term, text in facts)
    of = f"<p>Serves the predictions of {html.escape(signature.notebook)}.</p>" if signature.notebook else ""
    return f"{of}<dl>{lines}</dl>"


def _choice(examples: list[dict[str, Any]]) -> str:
    """Which example fills the form; nothing where there is no choice."""
    if len(examples) < 2:
        return "<span></span>"
    options = "".join(f'<option value="{at}">{at + 1} of {len(examples)}</option>' for at in range(len(examples)))
    return f'<label for="example">Example <select id="example">{options}</select></label>'


def _input(at: int, column: Column, value: Any) -> str:
    label = f'<label for="f{at}">{html.escape(column.key)} <small>{html.escape(_hint(column))}</small></label>'
    shown = html.escape(_shown(value, column))
    if column.type == "boolean":
        choices = [""] * column.nullable + ["true", "false"]
        options = "".join(f"<option{' selected' if choice == shown else ''}>{choice}</option>" for choice in choices)
        return f'<div class="row">{label}<select id="f{at}" name="f{at}">{options}</select></div>'
    more = ""
    if column.type in ("integer", "number"):
        more = ' inputmode="decimal"'
    known = [_shown(item, column) for item in (column.categories or ())[:_LISTED]]
    listed = ""
    if known:
        more += f' list="l{at}"'
        options = "".join(f'<option value="{html.escape(item)}"></option>' for item in known)
        listed = f'<datalist id="l{at}">{options}</datalist>'
    if column.nullable:
        more += ' placeholder="missing"'
    return f'<div class="row">{label}<div><input id="f{at}" name="f{at}" value="{shown}"{more} autocomplete="off">{listed}</div></div>'


def _hint(column: Column) -> str:
    """What the field takes: its kind, what training had, and whether it may be empty."""
    parts = [{"integer": "whole number", "string": "text", "boolean": "true or false"}.get(column.type, column.type)]
    if column.categories and column.type != "boolean":
        known = [_shown(item, column) for item in column.categories]
        few = ", ".join(known[:6])
        parts.append(f"{few}, and {len(known) - 6} more" if len(known) > 6 else few)
    elif column.minimum is not None and column.maximum is not None:
        parts.append(f"in training {_shown(column.minimum, column)} to {_shown(column.maximum, column)}")
    if column.nullable:
        parts.append("may be empty")
    return "; ".join(parts)


def _shown(value: Any, column: Column) -> str:
    """A value as it stands in the field: whole numbers without ``.0``, the way one writes them."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if column.type == "number" and isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return str(int(value)) if abs(value) < 1e15 else repr(value)
    return json.dumps(value)
