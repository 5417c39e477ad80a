-- Divs of the memo as boxes in Typst and named styles in Word; nothing for HTML, whose CSS has them.
local typst = {
  sub = '#block(below: 0.7em)[#set text(size: 8.6pt, fill: rgb("#444444"));',
  question = '#block(below: 0.7em)[#set text(size: 10.4pt);',
  answer = '#block(fill: rgb("#eef3f7"), stroke: (left: 2.5pt + rgb("#0072b2")), inset: (x: 9pt, y: 7pt), width: 100%)[',
  small = '#block[#set text(size: 8.2pt, fill: rgb("#444444"));',
}
local word = { sub = 'Memo Small', question = 'Memo Question', answer = 'Memo Answer', small = 'Memo Small' }

function Div(div)
  for _, class in ipairs(div.classes) do
    if FORMAT == 'typst' and typst[class] then
      local out = { pandoc.RawBlock('typst', typst[class]) }
      for _, block in ipairs(div.content) do table.insert(out, block) end
      table.insert(out, pandoc.RawBlock('typst', ']'))
      return out
    elseif FORMAT == 'docx' and word[class] then
      div.attributes['custom-style'] = word[class]
      return div
    end
  end
end
