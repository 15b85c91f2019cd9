"""French words that say nothing of what is made: grammar, how people ask, and "pièces".

Written for needs and capabilities: "or" (gold), "hors", "sous" (sous vide) or "tour" are not in it.
Accents are kept, so that "maïs" is no "mais"; forms often typed without accents are listed twice.
"""

STOP_WORDS = frozenset(
    """
    le la les l un une des du de d au aux à a â
    ce c cet cette ces cela ça ca ceci celui celle ceux celles
    mon ma mes m ton ta tes t son sa ses s notre nos votre vos leur leurs
    je j tu il elle on nous vous ils elles me te se lui eux y en soi moi toi
    qui que qu quoi dont où quel quelle quels quelles lequel laquelle lesquels lesquelles auquel
    duquel
    et ou ni mais donc car si comme quand lorsque lorsqu puisque puisqu parce pourquoi comment
    combien quoique quoiqu afin ainsi alors aussi
    dans par pour sur avec sans vers chez entre parmi depuis pendant durant selon suivant dès des
    jusque jusqu jusqu' près pres via voire environ contre malgré malgre concernant
    ne n pas plus moins très tres trop peu assez bien mal même meme memes mêmes encore déjà deja
    toujours jamais souvent surtout notamment également egalement seulement plutôt plutot puis
    ensuite enfin etc voici voilà voila ici là
    tout tous toute toutes autre autres
    certain certaine certains certaines plusieurs quelque
    quelques chaque chacun chacune aucun aucune divers diverse diverses tel telle tels telles
    suis es est sommes êtes etes sont étant etant être etre était etait étaient etaient sera
    seront serait soit soient
    ai as avons avez ont ayant avoir avait avaient aura auront aurait eu
    fait faite faits faites faire fais font faisant ferait
    peut peux peuvent pouvez pouvons pouvoir pourrait pourra pourrais doit dois doivent devez
    devrait faut faudrait veux veut voulons voudrais voudrait vouloir souhaite souhaitons
    souhaiterais cherche cherchons recherche recherchons rechercher chercher besoin besoins
    trouver trouve
    quelqu aujourd hui merci bonjour pièce pièces piece pieces
    """.split()  # noqa: SIM905  (a list would be 400 lines)
)
