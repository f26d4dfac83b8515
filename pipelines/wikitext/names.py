"""Names that decide what a link is: media and category namespaces, wikis of other languages, sister projects."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache


def listed(words: str) -> list[str]:
    """Words of a table that reads better as a line of text."""
    return words.split()


FILE, MEDIA, CATEGORY = 6, -2, 14

# English names work on every wiki; the others are here for texts that come without siteinfo.
_HIDDEN = frozenset(
    listed(
        "file image media category datei bild kategorie fichier catégorie archivo imagen categoría immagine "
        "categoria ficheiro arquivo imagem bestand afbeelding categorie plik grafika kategoria soubor "
        "kategorie súbor kategória fil kategori tiedosto kuva luokka fájl kép kategória fișier imagine dosya "
        "resim αρχείο εικόνα κατηγορία файл зображення категорія изображение категория слика датотека "
        "категорија выява файл катэгорыя картинка קובץ קטגוריה ملف صورة تصنيف پرونده تصویر رده चित्र श्रेणी "
        "ไฟล์ หมวดหมู่ restr rummad hình ファイル 画像 カテゴリ 文件 檔案 图像 圖像 分类 分類 파일 그림 분류 "
    )
) | {"tập tin", "thể loại"}

LANGUAGES = frozenset(
    listed(
        "aa ab ace ady af ak als am an ang ar arc ary arz as ast atj av avk awa ay az azb ba ban bar bcl be "
        "be-tarask be-x-old bg bh bi bjn bm bn bo bpy br bs bug bxr ca cbk-zam cdo ce ceb ch chr chy ckb co "
        "cr crh cs csb cu cv cy da de din diq dsb dty dv dz ee el eml en eo es et eu ext fa ff fi fiu-vro fj "
        "fo fr frp frr fur fy ga gag gan gcr gd gl glk gn gom gor got gu guw gv ha hak haw he hi hif hr hsb "
        "ht hu hy hyw ia id ie ig ik ilo inh io is it iu ja jam jbo jv ka kaa kab kbd kbp kg ki kk kl km kn "
        "ko koi krc ks ksh ku kv kw ky la lad lb lbe lez lfn lg li lij lld lmo ln lo lt ltg lv mad mai "
        "map-bms mdf mg mhr mi min mk ml mn mni mnw mr mrj ms mt mwl my myv mzn na nah nap nds nds-nl ne new "
        "nia nl nn no nov nqo nrm nso nv ny oc olo om or os pa pag pam pap pcd pdc pfl pi pih pl pms pnb pnt "
        "ps pt pwn qu rm rmy rn ro roa-rup roa-tara ru rue rw sa sah sat sc scn sco sd se sg sh shi shn si "
        "simple sk skr sl sm smn sn so sq sr srn ss st stq su sv sw szl szy ta tay tcy te tet tg th ti tk tl "
        "tn to tpi tr trv ts tt tum tw ty tyv udm ug uk ur uz ve vec vep vi vls vo wa war wo wuu xal xh xmf "
        "yi yo za zea zh zh-classical zh-min-nan zh-yue zu "
    )
)

PROJECTS = frozenset(
    listed(
        "w wikipedia wikt wiktionary s wikisource q wikiquote b wikibooks n wikinews v wikiversity voy "
        "wikivoyage species wikispecies d wikidata c commons m meta mw wmf doi iarchive oeis "
    )
)


def hidden_names(namespaces: Mapping[int, str]) -> frozenset[str]:
    """Lower-case names of the namespaces whose links show nothing in the text: files and categories."""
    return _with_own(namespaces.get(FILE, ""), namespaces.get(MEDIA, ""), namespaces.get(CATEGORY, ""))


@lru_cache(maxsize=64)
def _with_own(*names: str) -> frozenset[str]:
    return _HIDDEN | {name.lower().replace("_", " ") for name in names if name}
