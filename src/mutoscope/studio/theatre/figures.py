"""The figures of our own: how each is cut, how tall it is, in which colours, and where it is at home.

A row says: metres that it is tall in life, its home (a place of the painter's or a set of `sets`), its inks, and its paper
pieces in the language of `shapes`. Animals and people are rules elsewhere, with their measures in tables here.
"""

import functools
from dataclasses import dataclass
from typing import Any

from mutoscope.studio.scene.lexicon import Rgb
from mutoscope.studio.theatre.beasts import bird, flier, quadruped, swimmer
from mutoscope.studio.theatre.puppet import INKS
from mutoscope.studio.theatre.shapes import Figure, drawn


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of a figure."""

    metres: float
    home: str
    inks: str  # "main=red second=gold": names of INKS, or hexadecimal
    cut: str  # lines of `shapes`, or for a rule its name and measures


def _rows(text: str) -> dict[str, Row]:
    """`name | metres | home | inks`, then the pieces until the next of its kind."""
    rows: dict[str, Row] = {}
    for block in text.strip().split("\n\n"):
        head, _, cut = block.strip().partition("\n")
        name, metres, home, inks = (each.strip() for each in head.split("|"))
        rows[name] = Row(float(metres), home, inks, cut)
    return rows


THINGS = _rows("""
car | 1.5 | road | main=red second=iron
joint front 62 18 roll 1
joint rear -62 18 roll 1
main blob -100 22 -102 46 -84 54 -60 56 -38 92 30 96 58 58 92 50 104 40 102 20
+ window blob -46 58 -28 84 -4 86 -4 58
window blob 4 58 4 86 26 86 44 58
main- box -102 20 102 30 4
main+ line 3 -90 46 0 50 92 44
lamp oval 96 40 6 8
red oval -98 44 4 7
main- line 2 0 56 0 30
steel box 10 46 20 50 2
+ tyre oval 62 18 19 @front
steel oval 62 18 10 @front
iron box 60 10 64 26 @front
iron box 54 16 70 20 @front
+ tyre oval -62 18 19 @rear
steel oval -62 18 10 @rear
iron box -64 10 -60 26 @rear
iron box -70 16 -54 20 @rear

sports car | 1.2 | road | main=red second=iron
joint front 78 22 roll 1
joint rear -72 22 roll 1
main blob -118 30 -120 62 -96 70 -56 74 -20 98 26 98 62 70 112 54 124 36 118 22 0 18
main- poly -124 70 -92 78 -92 84 -128 82
+ window blob -34 74 -14 92 22 92 48 70
main- line 3 4 74 2 30
main+ line 4 -100 60 0 66 104 50
lamp blob 104 50 120 42 116 36 100 42
red oval -116 56 4 6
+ tyre oval 78 22 23 @front
steel star 78 22 17 7 6 @front
+ tyre oval -72 22 23 @rear
steel star -72 22 17 7 6 @rear

bus | 3 | road | main=yellow second=iron
joint front 58 12 roll 1
joint rear -58 12 roll 1
main box -95 14 95 96 9
+ window box -88 52 -58 86 4
window box -52 52 -22 86 4
window box -16 52 14 86 4
window box 20 52 50 86 4
glass box 60 40 92 88 5
main- box -95 30 95 36
white box -95 90 95 93
lamp oval 92 24 4 6
+ tyre oval 58 12 13 @front
steel oval 58 12 6 @front
+ tyre oval -58 12 13 @rear
steel oval -58 12 6 @rear

truck | 3 | road | main=blue second=cream
joint front 66 13 roll 1
joint rear -50 13 roll 1
joint mid -22 13 roll 1
second box -98 22 38 98 3
+ main blob 42 20 42 84 62 88 80 84 92 52 98 46 98 20
window blob 60 54 60 80 76 78 86 54
iron box -98 16 98 24
lamp oval 96 32 3 5
+ tyre oval 66 13 14 @front
steel oval 66 13 7 @front
tyre oval -50 13 14 @rear
steel oval -50 13 7 @rear
tyre oval -22 13 14 @mid
steel oval -22 13 7 @mid

bicycle | 1.1 | road | main=teal second=coffee
joint front 52 34 roll 1
joint rear -52 34 roll 1
tyre ring 52 34 32 4 @front
steel line 1 52 4 52 64 @front
steel line 1 22 34 82 34 @front
steel line 1 31 13 73 55 @front
tyre ring -52 34 32 4 @rear
steel line 1 -52 4 -52 64 @rear
steel line 1 -82 34 -22 34 @rear
steel line 1 -73 13 -31 55 @rear
+ main line 5 -52 34 -16 78
main line 5 -16 78 34 80
main line 5 34 80 0 32
main line 5 0 32 -16 84
main line 5 -52 34 0 32
main line 5 52 34 34 88
second blob -30 84 -2 86 2 92 -30 92
iron line 4 34 88 36 97 50 98
steel oval 0 32 7
iron line 3 -8 24 8 40

motorcycle | 1.2 | road | main=red second=ink
joint front 60 26 roll 1
joint rear -58 26 roll 1
iron line 5 60 26 38 92
+ tyre ring 60 26 21 9 @front
steel star 60 26 15 4 6 @front
tyre ring -58 26 21 9 @rear
steel star -58 26 15 4 6 @rear
+ steel blob -30 18 -34 44 20 48 26 20
iron box -18 24 10 40 5
iron line 6 0 20 -50 22 -84 26
main blob -10 58 0 80 34 82 40 64 20 52
second blob -74 58 -70 72 -20 72 -6 58 -40 52
main blob -84 46 -58 66 -34 50 -40 44
lamp oval 48 80 8 9
steel line 3 36 90 26 100 18 98

train | 4 | countryside | main=green second=red
joint a 70 10 roll 1
joint b 36 13 roll 1
joint c 2 13 roll 1
joint d -60 13 roll 1
joint e -100 13 roll 1
joint puff 70 100 steam 14
steam oval 62 112 12 9 @puff
steam oval 44 124 16 12 @puff
steam oval 22 134 20 14 @puff
iron poly 60 66 56 98 80 98 76 66
second box 54 94 82 100
+ main box -36 26 84 68 14
main- box 84 26 92 64 4
gold box 26 26 30 68
gold box -6 26 -2 68
gold blob 30 68 34 82 44 82 48 68
+ main box -74 22 -28 92 3
second box -80 90 -22 98 3
window box -66 54 -38 82 3
main- box -116 24 -78 62 3
coffee blob -114 60 -104 72 -90 72 -80 60
iron box -118 16 90 26
second poly 86 26 108 6 86 6
lamp oval 90 72 7
+ tyre oval 70 10 10 @a
second ring 36 14 12 5 @b
second star 36 14 11 3 5 @b
second ring 2 14 12 5 @c
second star 2 14 11 3 5 @c
second ring -60 14 12 5 @d
second ring -100 14 10 5 @e
steel line 4 2 14 36 14

boat | 5 | sea | main=red second=white
joint all 0 0 bob 1.4
timber box -2 26 2 100 @all
+ second blob 4 30 4 94 30 70 56 32 @all
+ cream blob -4 34 -4 86 -22 60 -40 36 @all
red poly 0 100 0 92 18 96 @all
+ main blob -62 24 -50 2 0 -2 46 2 70 26 0 20 @all
main+ line 4 -60 24 0 20 68 25 @all
white oval -30 12 3 @all
white oval 0 11 3 @all
white oval 30 12 3 @all

ship | 20 | sea | main=navy second=red
joint puff 6 92 steam 10
joint all 0 0 bob 0.8
steam oval 0 96 8 @puff
steam oval -12 104 11 @puff
second poly 0 56 2 86 18 86 20 56 @all
ink poly 2 78 2 86 18 86 18 78 @all
+ white box -48 34 52 52 2 @all
white box -30 50 40 64 2 @all
window box -42 40 -34 46 1 @all
window box -26 40 -18 46 1 @all
window box -10 40 -2 46 1 @all
window box 6 40 14 46 1 @all
window box 22 40 30 46 1 @all
window box 38 40 46 46 1 @all
+ main blob -96 36 -84 4 0 0 78 4 108 40 50 34 -50 34 @all
second blob -86 8 0 6 82 8 74 0 -80 0 @all
white line 2 -92 32 0 30 102 35 @all

airplane | 12 | sky | main=white second=red
joint all 0 0 bob 1
joint prop 100 50 spin 1
main- blob -10 58 -30 86 -16 90 22 58 @all
second blob -92 60 -112 92 -94 94 -70 62 @all
+ main blob -108 58 -60 42 50 36 96 44 104 54 80 66 20 70 -60 68 @all
second line 4 -100 57 0 54 100 52 @all
window oval 76 58 9 5 @all
window oval 44 60 4 @all
window oval 28 60 4 @all
window oval 12 60 4 @all
window oval -4 60 4 @all
window oval -20 60 4 @all
window oval -36 60 4 @all
+ main- blob 26 50 -34 12 -52 12 -20 50 @all
iron rod 4 28 20 28 12 @all
second blob -94 52 -116 42 -104 40 -76 48 @all

helicopter | 4 | sky | main=red second=iron
joint all 0 0 bob 1
joint rotor 10 92 fold 0.8
second box 6 70 14 92 @all
iron box -70 90 90 95 2 @rotor
+ main blob -110 66 -112 78 -40 64 -20 76 30 76 62 52 58 30 10 24 -24 34 -50 54 @all
window blob 22 70 24 40 56 42 52 56 @all
main- poly -118 60 -104 96 -96 92 -104 62 @all
second line 4 -30 12 40 12 54 18 @all
second line 3 -10 14 -6 30 @all
second line 3 28 14 24 28 @all

hot air balloon | 20 | sky | main=red second=yellow third=cream
joint all 0 0 bob 1.5
main blob 0 100 -26 94 -38 70 -30 44 -10 24 10 24 30 44 38 70 26 94 @all
+ second blob 0 100 -14 94 -20 70 -16 44 -6 24 6 24 16 44 20 70 14 94 @all
third blob 0 100 -5 94 -7 70 -6 44 -2 24 2 24 6 44 7 70 5 94 @all
main- line 3 -34 54 0 48 34 54 @all
timber line 1 -10 25 -7 13 @all
timber line 1 10 25 7 13 @all
+ wood box -8 0 8 13 2 @all
straw box -9 10 9 14 1 @all

rocket | 30 | space | main=white second=red third=window
joint fire 0 8 flap 0.5
flame blob -9 12 -12 0 0 -20 12 0 9 12 @fire
yellow blob -5 12 -6 2 0 -9 6 2 5 12 @fire
+ second blob -16 44 -34 24 -34 8 -14 20
second blob 16 44 34 24 34 8 14 20
+ main blob 0 100 -17 76 -20 44 -15 14 15 14 20 44 17 76
second blob 0 100 -13 84 -15 78 15 78 13 84
third oval 0 60 8
steel ring 0 60 9 3
main- box -15 14 15 22 2
+ second blob -4 34 -5 12 5 12 4 34

ufo | 4 | space | main=grey second=green
joint all 0 0 bob 2
glass blob -26 60 -22 92 0 100 22 92 26 60 @all
second oval 0 70 10 12 @all
ink oval -4 74 3 4 @all
ink oval 4 74 3 4 @all
+ main blob -80 44 -40 62 0 66 40 62 80 44 40 30 0 26 -40 30 @all
lamp oval -48 44 6 @all
lamp oval -17 39 6 @all
lamp oval 17 39 6 @all
lamp oval 48 44 6 @all

submarine | 6 | underwater | main=yellow second=red
joint all 0 0 bob 1.2
iron line 4 0 80 0 98 14 98 @all
main- box -20 60 24 84 6 @all
+ main blob -90 40 -60 70 0 74 60 66 92 38 60 10 0 6 -60 12 @all
second blob -88 40 -110 64 -100 40 -110 16 @all
window oval -34 42 13 @all
steel ring -34 42 14 4 @all
window oval 6 42 13 @all
steel ring 6 42 14 4 @all
window oval 46 42 13 @all
steel ring 46 42 14 4 @all

house | 7 | hills | main=cream second=brick third=wood
joint puff 30 100 steam 8
steam oval 32 106 6 5 @puff
steam oval 38 114 8 6 @puff
brick box 24 66 38 98
+ main box -48 0 48 58
+ second poly -60 54 0 100 60 54
second- line 3 -60 54 0 100 60 54
third box -10 0 12 34 2
gold oval 7 16 1.8
window box -38 22 -20 42 1
white box -30 22 -28 42
white box -38 31 -20 33
window box 24 22 42 42 1
white box 32 22 34 42
white box 24 31 42 33
window oval 0 66 8
leaf blob -60 0 -56 14 -44 12 -38 0
leaf blob 40 0 46 13 58 12 62 0

cabin | 5 | forest | main=wood second=slate third=lamp
joint puff 30 96 steam 8
steam oval 32 104 6 5 @puff
steam oval 39 113 8 6 @puff
stone box 24 60 38 96
+ main box -52 0 52 52
timber box -52 10 52 12
timber box -52 22 52 24
timber box -52 34 52 36
timber box -52 46 52 48
+ second poly -66 46 -40 92 40 92 66 46
timber box -12 0 12 34
third box -42 18 -20 38
third box 22 18 44 38
timber box -32 18 -30 38
timber box 32 18 34 38

castle | 25 | hills | main=stone second=slate third=red
main- box -26 30 26 78
main- box -10 78 10 84
+ main box -30 0 30 46
main poly -30 46 -30 54 -22 54 -22 46 -14 46 -14 54 -6 54 -6 46 6 46 6 54 14 54 14 46 22 46 22 54 30 54 30 46
+ main box -50 0 -28 66
second poly -54 64 -39 92 -24 64
main box 28 0 50 66
second poly 24 64 39 92 54 64
+ main- box -9 44 9 84
second poly -13 82 0 100 13 82
third poly -39 92 -39 100 -28 96
third poly 39 92 39 100 50 96
timber blob -11 0 -11 20 0 30 11 20 11 0
ink line 1 -11 16 11 16
ink line 1 0 0 0 28
lamp box -41 40 -37 50 2
lamp box 37 40 41 50 2
lamp box -3 62 3 72 2

lighthouse | 20 | sea | main=white second=red third=lamp
stone blob -44 0 -30 14 0 18 30 14 46 0
+ main poly -20 8 -12 74 12 74 20 8
second poly -18.4 22 -16.8 36 16.8 36 18.4 22
second poly -15.2 50 -13.6 62 13.6 62 15.2 50
ink box -4 10 4 22 2
iron box -18 72 18 77 1
third box -9 77 9 89
iron line 1 -4 77 -4 89
iron line 1 4 77 4 89
second poly -13 88 0 100 13 88
window oval 0 43 3

windmill | 15 | hills | main=cream second=brick third=wood
joint sails 0 68 spin 1
main poly -26 0 -16 66 16 66 26 0
second blob -18 64 -12 80 0 86 12 80 18 64
timber box -7 0 7 18 2
window box -5 34 5 44 1
+ third rod 0 68 0 106 3 @sails
third rod 0 68 0 30 3 @sails
third rod 0 68 38 68 3 @sails
third rod 0 68 -38 68 3 @sails
white poly 2 76 12 76 12 104 2 104 @sails
white poly -2 60 -12 60 -12 32 -2 32 @sails
white poly 8 66 8 56 36 56 36 66 @sails
white poly -8 70 -8 80 -36 80 -36 70 @sails
iron oval 0 68 4 @sails

bridge | 12 | river | main=brick second=steel
main poly -120 0 -120 34 120 34 120 0 94 0 88 16 66 22 44 16 38 0 24 0 18 16 0 22 -18 16 -24 0 -38 0 -44 16 -66 22 -88 16 -94 0
+ main- box -124 32 124 42
main box -72 0 -56 100 2
main box 56 0 72 100 2
+ second line 3 -120 42 -90 62 -64 98
second line 3 -64 98 -30 58 0 48 30 58 64 98
second line 3 64 98 90 62 120 42
second line 1 -40 70 -40 42
second line 1 -20 54 -20 42
second line 1 20 54 20 42
second line 1 40 70 40 42

church | 20 | hills | main=cream second=slate
main box -44 0 44 36
+ second poly -50 34 -36 56 36 56 50 34
+ main box -14 0 14 66
second poly -18 64 0 92 18 64
gold box -1.4 90 1.4 100
gold box -4.5 94 4.5 96.5
timber blob -7 0 -7 16 0 24 7 16 7 0
window blob -4 40 -4 52 0 58 4 52 4 40
window blob -34 10 -34 22 -30 27 -26 22 -26 10
window blob 26 10 26 22 30 27 34 22 34 10

tower | 60 | city | main=iron
main poly -36 0 -14 40 -6 84 0 100 6 84 14 40 36 0 24 0 9 34 0 40 -9 34 -24 0
+ main+ box -22 32 22 36
main+ box -13 56 13 60
main+ line 1.4 -26 6 10 36
main+ line 1.4 26 6 -10 36
main+ line 1.2 -13 40 8 56
main+ line 1.2 13 40 -8 56
main+ line 1 -8 62 5 80
main+ line 1 8 62 -5 80

pagoda | 15 | garden | main=red second=slate
main box -20 0 20 20
main box -16 26 16 44
main box -12 50 12 66
main box -8 72 8 84
+ second blob -44 22 -24 28 0 32 24 28 44 22 30 20 -30 20
second blob -36 46 -20 50 0 54 20 50 36 46 24 44 -24 44
second blob -28 68 -14 72 0 75 14 72 28 68 18 66 -18 66
second blob -20 84 -8 88 0 96 8 88 20 84 12 82 -12 82
gold line 2 0 92 0 100
timber box -6 0 6 15
lamp box -12 30 -7 39
lamp box 7 30 12 39

tent | 2 | forest | main=orange second=yellow
main poly -70 0 -6 100 60 0
+ main- poly -6 100 60 0 86 0
ink poly -30 0 -6 76 18 0
second poly -30 0 -6 76 -40 0
timber line 2 -6 100 -12 108
timber line 2 -6 100 0 108

tree | 7 | hills | main=leaf second=wood
joint crown 0 30 swing 1.2
second blob -7 0 -5 30 -16 50 -3 42 0 60 5 42 18 50 6 30 8 0
+ main- oval 4 58 34 26 @crown
+ main blob -38 52 -40 70 -22 82 -10 98 12 98 28 84 40 68 34 50 0 42 @crown
main+ oval -14 80 12 8 20 @crown
main+ oval 12 66 14 8 10 @crown
main- oval 22 54 10 5 @crown

potted tree | 1.2 | room | main=leaf second=brick
joint crown 0 40 swing 2
wood line 5 0 34 -2 46 1 56
main oval 0 72 27 28 @crown
+ main+ oval -8 80 14 12 @crown
main- oval 13 62 9 8 @crown
+ second poly -20 36 -14 0 14 0 20 36
second+ box -23 32 23 40 2

vase of flowers | 0.5 | table | main=rose second=window third=yellow
joint stems 0 40 swing 2
moss line 2 -2 40 -14 66 @stems
moss line 2 0 40 0 80 @stems
moss line 2 2 40 16 64 @stems
leaf blob -2 44 -20 50 -26 62 -10 56 @stems
leaf blob 2 46 18 46 28 56 12 56 @stems
+ main star -16 72 14 8 8 @stems
third oval -16 72 5 @stems
+ main+ star 18 70 13 7 8 @stems
third oval 18 70 5 @stems
+ main star 1 86 14 8 8 @stems
third oval 1 86 5 @stems
+ second blob -8 42 -6 34 -18 20 -12 0 12 0 18 20 6 34 8 42
second+ line 3 -10 24 -12 12
second- line 2 -16 18 0 14 16 18

flower | 0.5 | hills | main=rose second=yellow
joint head 0 0 swing 3
moss line 4 0 0 3 30 0 64 @head
leaf blob 1 18 -20 26 -26 40 -8 34 @head
leaf blob 2 28 20 32 28 46 10 42 @head
+ main oval 0 96 9 13 @head
main oval 19 86 9 13 -60 @head
main oval 20 66 9 13 -120 @head
main oval 0 56 9 13 180 @head
main oval -20 66 9 13 120 @head
main oval -19 86 9 13 60 @head
+ second oval 0 76 11 @head
orange oval 0 76 6 @head

rose | 0.5 | table | main=red
joint head 0 0 swing 2
moss line 4 0 0 -3 30 0 62 @head
leaf blob -1 30 -22 34 -30 50 -8 44 @head
leaf blob 0 20 20 26 28 40 8 34 @head
+ main- blob 0 58 -26 66 -28 90 -10 100 12 100 28 90 26 66 @head
+ main blob 0 58 -22 64 -20 86 0 80 @head
main blob 0 58 22 64 20 86 0 82 @head
+ main+ blob -12 84 -14 96 0 100 14 96 12 82 0 76 @head
main- line 2 -8 92 0 86 8 92 4 97 -4 95 @head

bouquet | 0.5 | table | main=rose second=cream third=yellow
leaf blob -34 50 -30 80 0 92 30 80 34 50 0 36
+ main star -18 70 15 9 9
third oval -18 70 5
+ main+ star 17 72 15 9 9
third oval 17 72 5
+ white star 0 86 14 8 9
third oval 0 86 5
purple star 0 62 13 8 9
third oval 0 62 4
+ second poly -36 54 0 40 36 54 8 8 12 0 -12 0 -8 8
rose blob -14 14 0 10 14 14 8 20 -8 20

cactus | 1 | desert | main=green second=brick
main rod 0 20 0 88 26
+ main line 14 -10 46 -30 48 -30 70
main line 13 10 36 30 38 30 60
main- line 1.5 -5 26 -5 90
main- line 1.5 5 26 5 90
rose star 0 99 8 4 6
+ second poly -24 26 -17 0 17 0 24 26
second+ box -26 22 26 29 2

mushroom | 0.15 | forest | main=red second=cream
second blob -14 0 -10 30 -12 50 12 50 10 30 14 0
+ main blob -50 46 -44 76 -20 96 20 96 44 76 50 46 0 40
white oval -24 66 8 7
white oval 4 82 9 7
white oval 26 62 8 6
white oval 0 56 5 4

cup | 0.1 | table | main=white second=coffee
joint puff 0 80 steam 14
steam line -4 -12 88 -18 96 -10 106 -16 116 @puff
steam line -4 6 88 0 98 8 108 2 118 @puff
main ring 46 46 18 8
+ main oval 0 4 60 9
main- oval 0 6 40 5
+ main blob -46 80 -44 40 -26 10 26 10 44 40 46 80
main- oval 0 80 46 9
second oval 0 79 40 6.5
main+ line 5 -34 66 -32 40 -22 22

teapot | 0.2 | table | main=blue second=gold
joint puff 60 80 steam 10
steam line -4 62 84 58 92 66 100 @puff
main ring -46 46 24 9
main line -16 34 30 54 46 62 78
+ main blob -46 44 -36 74 0 82 36 74 46 44 32 12 -32 12
main+ line 4 -34 62 -38 46 -30 26
main- box -26 6 26 14 3
+ main- blob -22 78 0 92 22 78 0 74
second oval 0 94 6

bowl | 0.12 | table | main=red second=yellow third=leaf
joint puff 0 90 steam 16
steam line -5 -24 96 -32 108 -22 120 -30 134 @puff
steam line -5 8 100 0 112 10 124 2 138 @puff
timber line 3 20 76 74 122
timber line 3 30 76 84 116
+ crust oval 0 78 62 18
second line 5 -46 80 -30 90 -14 80 2 90 18 80
second line 5 -38 74 -20 84 -4 74 14 84 30 74
white oval -22 84 17 11
orange oval -22 85 8 6
rose blob 12 90 24 96 38 90 32 82 18 82
third oval 38 80 7 4
third oval 2 94 7 4
moss poly -52 82 -60 104 -42 108 -36 86
+ main blob -68 78 -58 40 -30 12 30 12 58 40 68 78 40 68 0 65 -40 68
main- box -28 4 28 14 4
main+ line 4 -56 64 -46 38 -28 22
gold line 2.4 -62 58 0 48 62 58

plate | 0.08 | table | main=white second=yellow third=red
joint puff 0 60 steam 20
steam line -6 -18 96 -30 116 -16 136 @puff
steam line -6 20 96 10 118 24 140 @puff
main oval 0 22 110 22
main- oval 0 24 86 15
+ second blob -62 28 -50 60 -10 84 30 80 62 50 66 28 0 14
crust line 5 -54 36 -10 56 40 34
crust line 5 -40 54 0 70 44 52
crust line 5 -30 30 20 42 58 44
+ third blob -34 64 -10 92 24 92 36 66 0 54
leaf blob -6 92 4 106 18 98 8 88
leaf blob -4 92 -20 102 -22 92

bottle | 0.3 | table | main=moss second=cream third=red
main blob -8 100 -8 72 -20 56 -21 4 21 4 20 56 8 72 8 100
+ second box -21 18 21 46
third box -12 26 12 32
third- box -12 35 12 38
third box -9 90 9 101 2
main+ line 3 -15 54 -16 48

perfume | 0.12 | plinth | main=pink second=gold
main box -34 2 34 68 8
+ main+ box -26 10 26 46 4
white line 4 -26 60 -26 16
second box -12 66 12 78 2
+ second box -16 78 16 100 4
white box -14 24 14 36 1
second box -9 28 9 32

jar | 0.15 | table | main=glass second=red third=orange
main box -34 0 34 78 14
third box -30 4 30 60 12
+ second box -30 76 30 94 5
cream box -22 20 22 46 3
third oval 0 33 8

wine glass | 0.2 | table | main=glass second=crimson
main box -3 6 3 46
main oval 0 4 26 5
+ main blob -30 100 -32 74 -18 52 0 44 18 52 32 74 30 100
second blob -30 76 -18 54 0 47 18 54 30 76 0 72
white line 3 -22 92 -23 76

apple | 0.08 | table | main=red second=leaf
timber line 5 0 84 2 94 8 100
second blob 6 90 22 100 38 96 22 86
+ main blob 0 84 -24 90 -46 72 -44 36 -22 4 0 8 22 4 44 36 46 72 24 90
main+ blob -30 72 -34 50 -28 40 -24 60
main- line 3 -8 84 0 80 8 84

pear | 0.1 | table | main=green second=leaf
timber line 5 0 90 4 100
second blob 4 92 20 100 32 94 16 88
+ main blob 0 94 -16 84 -22 58 -38 34 -28 4 0 0 28 4 38 34 22 58 16 84
main+ blob -18 44 -24 30 -18 18 -12 32

orange fruit | 0.08 | table | main=orange second=leaf
main oval 0 46 46
+ main+ oval -16 62 12 8 30
second blob 2 90 20 102 36 96 18 86
main- oval 4 88 5 3
main- oval 20 34 1.6
main- oval -8 22 1.6
main- oval 14 56 1.6

lemon | 0.07 | table | main=yellow second=leaf
main blob -70 50 -54 56 -30 84 20 88 54 60 70 48 54 40 24 10 -24 8 -54 40
+ main+ blob -30 68 -10 76 10 76 -6 66
second blob 58 52 74 70 92 66 76 54

banana | 0.15 | table | main=yellow second=coffee
main blob -70 86 -58 92 -40 58 0 34 50 36 78 50 84 40 50 10 0 2 -46 26 -66 60
+ main- line 3 -58 80 -36 44 4 22 60 30
second poly -74 84 -64 98 -56 92 -62 82
second poly 76 50 86 48 84 38 78 40

strawberry | 0.05 | table | main=red second=leaf
main blob 0 2 -34 36 -44 68 -24 84 0 80 24 84 44 68 34 36
+ second star 0 86 32 12 7
second line 4 0 84 4 100
lamp oval -18 60 2.4 3.4
lamp oval 8 64 2.4 3.4
lamp oval 26 58 2.4 3.4
lamp oval -8 42 2.4 3.4
lamp oval 14 42 2.4 3.4
lamp oval 0 22 2.4 3.4

cherries | 0.06 | table | main=crimson second=leaf
moss line 4 -24 40 -14 74 18 98
moss line 4 26 36 28 66 18 98
second blob 16 94 40 106 58 94 36 84
+ main oval -26 24 24
main+ oval -34 33 7 5
+ main oval 28 20 22
main+ oval 20 29 6 4

grapes | 0.15 | table | main=purple second=leaf
timber line 4 0 84 2 100
second blob 2 86 -24 100 -40 88 -22 76
+ main oval -24 70 13
main oval 0 72 13
main oval 24 70 13
+ main oval -13 52 13
main oval 12 52 13
+ main oval 0 34 13
main oval -20 36 12
main oval 20 36 12
+ main oval 2 14 13
main+ oval -28 75 4
main+ oval -4 77 4
main+ oval 20 75 4
main+ oval -17 57 4
main+ oval 8 57 4
main+ oval -4 39 4
main+ oval -2 18 4

watermelon | 0.15 | table | main=red second=green
second pie 0 96 100 180 360 0.96
+ cream pie 0 96 90 180 360 0.95
main pie 0 96 84 180 360 0.95
ink oval -46 76 3 5
ink oval -14 70 3 5
ink oval 18 72 3 5
ink oval 48 78 3 5
ink oval -28 48 3 5
ink oval 8 44 3 5
ink oval 32 50 3 5

cake | 0.2 | table | main=pink second=cream third=red
joint fire 0 92 flap 0.4
white oval 0 6 78 9
+ main box -60 8 60 40 5
second blob -60 40 -60 32 -48 26 -36 36 -24 24 -10 36 4 26 18 36 30 24 44 36 54 28 60 34 60 40
+ main+ box -42 40 42 66 5
second blob -42 66 -42 58 -32 52 -20 62 -8 52 6 62 18 52 30 62 38 54 42 58 42 66
third oval -28 70 5
third oval 28 70 5
third oval 0 70 5
+ blue box -2 70 2 88
flame blob 0 100 -4 92 0 87 4 92 @fire

cupcake | 0.1 | table | main=pink second=gold third=red
second poly -34 44 -24 0 24 0 34 44
second- line 2 -16 42 -12 2
second- line 2 0 42 0 2
second- line 2 16 42 12 2
+ main blob -44 44 -46 60 -28 66 28 66 46 60 44 44
+ main+ blob -34 64 -32 76 -16 82 16 82 32 76 34 64
+ main blob -20 80 -14 92 0 98 14 92 20 80
third oval 0 98 7

pizza | 0.1 | table | main=cheese second=crust third=red
second blob -80 74 -40 90 0 94 40 90 80 74 74 62 0 74 -74 62
+ main poly -74 68 0 78 74 68 0 0
+ third oval -34 58 12 9
third oval 14 62 13 9
third oval 0 34 11 9
leaf oval -8 54 6 3 30
leaf oval 36 58 6 3 -30
leaf oval 10 18 5 3
main+ blob -24 66 -22 44 -16 44 -16 66

burger | 0.12 | table | main=crust second=coffee third=leaf
main blob -58 4 -58 20 0 24 58 20 58 4 0 0
+ third blob -66 26 -50 18 -30 28 -10 18 12 28 32 18 52 28 66 22 60 34 -60 34
+ second box -58 30 58 48 8
cheese poly -58 48 58 48 40 36 20 48 -10 34 -30 48
red box -54 48 54 56 4
+ main blob -60 54 -56 82 -24 98 24 98 56 82 60 54
cream oval -26 80 3 2 20
cream oval -4 88 3 2
cream oval 20 82 3 2 -20
cream oval 36 70 3 2
cream oval -40 68 3 2

ice cream | 0.2 | backdrop | main=pink second=crust third=cream
second poly -22 54 0 0 22 54
second- line 1.6 -14 50 6 16
second- line 1.6 0 52 12 28
second- line 1.6 14 50 -6 16
second- line 1.6 0 52 -12 28
+ third oval -14 64 17
coffee oval 15 64 17
+ main oval 0 82 18
main+ oval -7 89 5 3
red oval 4 101 6

donut | 0.06 | table | main=pink second=crust
second ring 0 50 33 34 0.92
+ main ring 0 54 33 24 0.9
blue rod -34 60 -30 68 3
yellow rod 20 76 28 74 3
white rod 34 48 36 40 3
green rod -20 30 -12 28 3
red rod 4 84 -4 84 3
yellow rod -36 44 -32 38 3
blue rod 18 28 24 32 3

bread | 0.12 | table | main=crust
main blob -80 6 -84 50 -60 84 0 94 60 84 84 50 80 6 0 0
+ main- line 6 -44 78 -34 58 -40 44
main- line 6 -6 86 4 62 -2 46
main- line 6 34 80 42 60 36 46
main+ line 3 -62 72 -30 84

croissant | 0.08 | table | main=crust
main blob -96 8 -88 46 -50 78 0 88 50 78 88 46 96 8 62 30 0 46 -62 30
+ main- line 4 -66 64 -52 34
main- line 4 -34 82 -26 42
main- line 4 0 86 0 46
main- line 4 34 82 26 42
main- line 4 66 64 52 34
main+ line 3 -20 82 20 82

sushi | 0.07 | table | main=orange second=white third=rose
timber box -88 0 -72 10
timber box 72 0 88 10
wood box -112 8 112 18 3
+ second blob -100 20 -102 38 -86 46 -58 46 -42 38 -44 20
+ main blob -104 38 -98 56 -70 64 -46 58 -38 40 -44 37 -72 45 -98 37
main+ line 3 -86 58 -80 45
main+ line 3 -62 60 -58 46
ink box -77 19 -66 63 2
+ ink oval 2 44 29 27
second oval 2 44 24 22
third oval -3 47 10 9
leaf oval 9 39 6 5
yellow oval 4 55 5 4
+ second blob 50 20 48 38 64 46 92 46 108 38 106 20
+ third blob 46 38 52 56 80 64 104 58 112 40 106 37 78 45 52 37
white line 3 62 58 66 45
white line 3 76 62 78 47
white line 3 92 60 91 46

egg | 0.06 | table | main=white second=yellow
main blob -90 30 -60 80 -10 70 40 92 86 56 70 16 10 22 -50 4
+ second oval -4 50 28 24
white oval -14 60 7 4

pancakes | 0.15 | table | main=crust second=gold
white oval 0 8 96 14
+ main box -68 10 68 28 9
+ main box -66 28 66 46 9
+ main box -68 46 68 64 9
+ second blob -52 66 -44 46 -34 60 -20 34 -10 60 20 60 30 40 40 60 54 66 0 76
cheese poly -18 68 -14 84 18 86 22 70

cheese wedge | 0.1 | table | main=cheese
main- poly -90 10 -90 54 70 98 92 54 92 10
+ main poly -90 10 -90 54 92 54 92 10
main- oval -50 32 10 8
main- oval 4 22 12 9
main- oval 48 38 9 8

book | 0.2 | table | main=red second=cream
second poly 0 18 -82 34 -86 92 0 74
second poly 0 18 82 34 86 92 0 74
+ main poly 0 4 -94 22 -94 28 0 12 94 28 94 22
grey line 2 -70 78 -14 64
grey line 2 -70 66 -14 52
grey line 2 -70 54 -14 40
grey line 2 14 64 70 78
grey line 2 14 52 70 66
grey line 2 14 40 70 54
main line 3 0 74 0 10

candle | 0.2 | table | main=cream second=gold
joint fire 0 80 flap 0.3
flame blob 0 100 -7 86 0 77 7 86 @fire
yellow blob 0 92 -3 85 0 80 3 85 @fire
ink line 2 0 80 0 72
+ main box -14 10 14 74 4
main- blob -14 74 -14 60 -9 54 -5 66 4 74
+ second blob -40 12 -30 2 30 2 40 12 0 8

lamp | 0.5 | table | main=yellow second=iron
second oval 0 4 32 6
second rod 0 4 0 50 6
+ main poly -46 50 -24 98 24 98 46 50
main+ line 3 -40 52 -22 94
lamp oval 0 50 40 5

lantern | 0.4 | night | main=red second=gold
joint all 0 100 swing 4
iron line 3 0 100 0 84 @all
main blob -34 50 -24 76 24 76 34 50 24 24 -24 24 @all
+ second box -18 74 18 84 2 @all
second box -18 16 18 26 2 @all
main+ oval 0 50 12 25 @all
main- line 2 -22 76 -26 50 -22 26 @all
main- line 2 22 76 26 50 22 26 @all
red line 2 0 16 0 0 @all

chair | 0.9 | room | main=wood second=red
main- rod 18 40 22 2 6
main- rod -14 40 -14 2 6
main rod -26 40 -30 2 7
main rod 30 38 34 2 7
+ main rod -26 40 -30 98 7
main rod 8 44 4 98 6
main box -30 82 6 94 3
main box -29 62 6 72 3
+ second blob -32 40 -28 48 28 48 36 40 30 36 -28 36

armchair | 1 | room | main=teal second=wood
second rod -34 10 -38 0 6
second rod 34 10 38 0 6
main- box -36 30 36 98 14
+ main box -40 8 40 44 8
main+ box -28 36 28 52 7
+ main box -56 8 -30 60 11
main box 30 8 56 60 11

sofa | 0.9 | room | main=teal second=wood third=yellow
second rod -80 10 -84 0 6
second rod 80 10 84 0 6
main- box -88 30 88 98 16
+ main box -92 10 92 44 8
main+ box -80 40 -2 56 7
main+ box 2 40 80 56 7
+ main box -112 10 -82 66 12
main box 82 10 112 66 12
third poly -66 56 -72 84 -44 86 -40 58

table | 0.75 | room | main=wood
main- box -70 0 -60 80
main- box 60 0 70 80
main- box -64 66 64 80
+ main box -100 80 100 94 3
main+ line 2 -94 91 94 91

bed | 1 | room | main=blue second=wood third=white
second box -110 0 -100 100 4
second box 100 0 110 60 4
second box -104 14 104 28
+ third box -100 28 100 48 6
third blob -96 46 -92 66 -60 68 -52 48
+ main blob -50 50 -40 60 96 58 104 46 104 20 -40 22
main+ line 5 -44 56 -46 24

guitar | 1 | plinth | main=wood second=timber
second box -4 50 4 92
timber poly -7 88 -9 102 9 102 7 88
+ main blob -24 60 -16 44 -32 30 -30 4 0 -2 30 4 32 30 16 44 24 60 0 66
ink oval 0 40 9
second box -13 14 13 19 1
cream line 0.7 -2 92 -2 16
cream line 0.7 2 92 2 16
steel oval -8 98 1.6
steel oval 8 98 1.6

violin | 0.6 | plinth | main=brown second=timber
ink box -3 50 3 90
second oval 0 94 7 6
+ main blob -20 62 -10 44 -24 28 -22 4 0 -2 22 4 24 28 10 44 20 62 0 68
ink line 1.8 -10 44 -12 34 -9 24
ink line 1.8 10 44 12 34 9 24
ink poly -5 28 5 28 2 6 -2 6
cream line 0.6 -1.5 90 -1.5 20
cream line 0.6 1.5 90 1.5 20
+ wood line 2 34 100 44 4
cream line 0.8 38 98 48 6

piano | 1.3 | room | main=ink second=gold
main- rod -74 34 -74 2 9
main- rod 74 34 74 2 9
main box -90 40 90 98 3
+ main+ box -84 62 84 92 3
main box -94 34 94 50 2
white box -86 42 86 51
ink box -76 45 -72 51
ink box -66 45 -62 51
ink box -46 45 -42 51
ink box -36 45 -32 51
ink box -26 45 -22 51
ink box -6 45 -2 51
ink box 4 45 8 51
ink box 24 45 28 51
ink box 34 45 38 51
ink box 44 45 48 51
ink box 64 45 68 51
cream poly -24 64 -22 86 22 86 24 64
grey line 1.5 -18 80 18 80
grey line 1.5 -18 74 18 74
second rod -30 20 -30 2 4
second rod 0 20 0 2 4

drum | 0.5 | plinth | main=red second=gold
wood rod -52 108 -10 88 4
wood rod 56 112 14 88 4
main box -60 14 60 80 2
+ cream oval 0 80 60 14
second box -62 8 62 18 3
second line 2 -58 74 -40 20
second line 2 -22 70 -40 20
second line 2 -22 70 0 18
second line 2 22 70 0 18
second line 2 22 70 40 20
second line 2 58 74 40 20

trumpet | 0.5 | plinth | main=gold
main line 8 -90 60 40 60
main blob 30 60 60 66 96 92 96 28 60 54
+ main ring -10 44 22 7 0.7
main- rod -26 48 -26 80 6
main- rod -10 48 -10 80 6
main- rod 6 48 6 80 6
main+ line 2 -80 62 60 64

ball | 0.22 | hills | main=white second=ink
main oval 0 50 50
+ second star 0 50 20 16 5
second blob -46 66 -30 68 -28 84 -40 80
second blob 46 66 30 68 28 84 40 80
second blob -34 10 -24 24 -34 32 -44 26
second blob 34 10 24 24 34 32 44 26
second blob -8 96 0 88 10 96 0 100
iron line 2 0 70 0 88
iron line 2 -19 56 -30 68
iron line 2 19 56 30 68
iron line 2 -12 34 -24 24
iron line 2 12 34 24 24

basketball | 0.24 | backdrop | main=orange
main oval 0 50 50
+ ink line 3 0 100 0 0
ink line 3 -50 50 50 50
ink line 3 -34 86 -14 50 -34 14
ink line 3 34 86 14 50 34 14

tennis ball | 0.07 | backdrop | main=lime
main oval 0 50 50
+ white line 5 -34 86 -12 50 -34 14
white line 5 34 86 12 50 34 14

balloon | 0.5 | sky | main=red
joint all 0 0 swing 3
ink line 1 0 40 5 26 -4 12 2 0 @all
main blob 0 42 -20 56 -28 78 -16 96 0 100 16 96 28 78 20 56 @all
main poly -4 38 4 38 0 44 @all
+ main+ blob -14 86 -18 74 -12 68 -8 80 @all

umbrella | 1 | rain | main=red second=wood
second rod 0 96 0 10 3
second line 4 0 12 2 2 12 2 14 10
+ main blob -60 56 -50 80 -24 96 0 100 24 96 50 80 60 56 40 62 20 54 0 62 -20 54 -40 62
main- line 1.6 0 98 -20 54
main- line 1.6 0 98 20 54
main+ line 3 -46 76 -24 92
iron box -1.4 98 1.4 106

hat | 0.15 | plinth | main=brown second=ink
main blob -100 22 -50 6 0 2 50 6 100 22 60 36 -60 36
+ main blob -52 30 -48 84 -20 98 0 88 20 98 48 84 52 30 0 22
second blob -52 32 0 24 52 32 51 50 0 42 -51 50

crown | 0.15 | plinth | main=gold second=red third=blue
main poly -60 8 -74 84 -34 48 0 98 34 48 74 84 60 8
+ main- box -62 4 62 20 4
second oval 0 12 6
third oval -34 12 5
third oval 34 12 5
second oval 0 98 7
third oval -74 86 6
third oval 74 86 6

shoe | 0.12 | plinth | main=white second=red
second box -97 0 99 15 7
main- line 2 -94 10 96 10
+ main blob -92 14 -95 44 -90 82 -74 92 -52 80 -32 84 -14 98 4 95 22 70 54 53 86 46 99 31 98 14
main- blob 56 14 60 36 78 47 93 41 99 29 98 14
main- blob -92 14 -95 42 -80 50 -66 38 -60 14
ink blob -88 85 -74 92 -52 80 -33 84 -17 96 -33 90 -52 86 -74 96
second line 8 -52 16 -34 44 -8 66
second line 8 -26 16 -6 40 16 56
+ white line 4 -10 84 12 94
white line 4 2 73 24 82
white line 4 15 63 36 71

boot | 0.3 | plinth | main=brown second=ink
second box -44 0 66 10 3
+ main blob -42 8 -36 96 10 98 14 44 50 34 66 22 64 8
main- line 3 -36 90 10 92
main- line 4 -40 14 0 18 60 14

high heel | 0.12 | plinth | main=red
main- poly -80 82 -72 4 -64 4 -60 70
+ main blob -92 96 -74 62 -30 50 10 22 60 6 96 4 96 14 70 24 40 34 0 66 -40 82 -70 82

dress | 1.3 | backdrop | main=red second=gold
main blob -14 98 -20 74 -14 56 -44 6 0 0 44 6 14 56 20 74 14 98 6 86 -6 86
+ second box -15 53 15 59 2
main- line 2 -8 52 -22 6
main- line 2 8 52 22 6
main- line 2 0 52 0 3

shirt | 0.7 | backdrop | main=white second=blue
main poly -30 96 -66 72 -52 44 -34 54 -34 4 34 4 34 54 52 44 66 72 30 96 14 90 0 84 -14 90
+ main- line 3 -14 92 0 84 14 92
second star 0 48 13 6

watch | 0.1 | plinth | main=steel second=coffee third=white
second box -14 0 14 100 5
second- line 1.5 -10 8 -10 28
second- line 1.5 10 8 10 28
+ main oval 0 50 32
main- box 30 46 38 54 2
+ third oval 0 50 26
ink line 2.6 0 50 0 68
ink line 2.2 0 50 13 44
red line 1.2 0 50 -10 38
ink box -1 70 1 74
ink box -1 26 1 30
ink box 20 49 24 51
ink box -24 49 -20 51

clock | 0.3 | room | main=brown second=cream
joint hand 0 50 spin 1
main oval 0 50 50
+ second oval 0 50 41
ink rod 0 50 0 80 4 2 @hand
ink rod 0 50 18 42 4 3
ink box -1.5 82 1.5 88
ink box -1.5 12 1.5 18
ink box 32 48.5 38 51.5
ink box -38 48.5 -32 51.5
gold oval 0 50 4

phone | 0.15 | plinth | main=ink second=window
main box -26 0 26 100 7
+ second box -22 6 22 94 4
lamp blob -22 40 -8 58 8 48 22 66 22 6 -22 6
purple blob -22 30 -4 44 12 34 22 44 22 6 -22 6
white oval -10 78 6
ink box -8 88 8 92 2

laptop | 0.25 | table | main=steel second=navy
main box -66 18 66 100 5
+ second box -60 24 60 94 2
green line 2.4 -50 82 -20 82
lamp line 2.4 -44 74 0 74
rose line 2.4 -44 66 -14 66
window line 2.4 -50 58 10 58
green line 2.4 -44 50 -6 50
lamp line 2.4 -50 42 -24 42
+ main blob -84 4 -66 20 66 20 84 4 80 0 -80 0
main- box -14 4 14 9 1

television | 0.7 | room | main=ink second=window
main rod -20 10 -30 0 6
main rod 20 10 30 0 6
main box -76 8 76 98 6
+ second box -69 15 69 91 3
rose blob -69 40 -30 66 10 44 69 70 69 15 -69 15
lamp oval 36 72 10

camera | 0.12 | plinth | main=ink second=steel
main box -30 70 30 96 5
main box -76 4 76 80 8
+ second box -76 56 76 80 5
red oval -58 86 7 4
lamp box 44 60 64 74 2
+ iron oval 0 42 32
navy oval 0 42 23
window oval 0 42 14
white oval -8 50 5

headphones | 0.2 | plinth | main=#5a6170 second=red
main line 13 -52 42 -54 70 -32 90 0 96 32 90 54 70 52 42
main+ line 4 -48 64 -32 85 0 92 22 89
+ second box -70 4 -40 56 13
second+ box -66 14 -60 46 3
second box 40 4 70 56 13
second- box 62 14 67 46 3
+ main- box -44 10 -32 50 5
main- box 32 10 44 50 5

sunglasses | 0.05 | plinth | main=ink second=gold
second line 6 -92 78 -60 84 60 84 92 78
second line 5 -14 74 0 82 14 74
+ main blob -84 78 -80 26 -46 8 -16 30 -12 78
main blob 84 78 80 26 46 8 16 30 12 78
window line 6 -72 66 -58 34
window line 6 26 66 38 34

backpack | 0.5 | plinth | main=blue second=tan
main ring 0 92 12 5
main box -40 4 40 94 20
+ main- box -52 12 -34 50 7
main- box 34 12 52 50 7
+ main+ box -30 8 30 48 8
second box -5 40 5 54 2
main- line 3 -30 66 30 66

handbag | 0.3 | plinth | main=brown second=gold
main ring 0 70 24 7 1.2
+ main poly -60 4 -48 66 48 66 60 4
main+ poly -50 66 -40 34 40 34 50 66
second box -7 30 7 42 2

suitcase | 0.6 | plinth | main=teal second=iron
second ring 0 88 13 5
main box -46 8 46 86 8
+ main- box -30 8 -22 86
main- box 22 8 30 86
second oval -34 4 6
second oval 34 4 6

gift | 0.3 | table | main=red second=gold
main box -46 0 46 66 2
+ main- box -52 58 52 78 2
second box -9 0 9 78
+ second blob 0 78 -30 84 -34 100 -10 98
second blob 0 78 30 84 34 100 10 98

key | 0.06 | plinth | main=gold
main ring 0 80 15 9
+ main box -4 4 4 66
main box 4 6 18 13
main box 4 22 14 29

sword | 1 | plinth | main=steel second=gold third=brown
main poly -5 26 -5 92 0 102 5 92 5 26
+ main+ poly -5 26 -5 92 0 102 0 26
second box -20 22 20 28 2
third box -4 6 4 22
second oval 0 3 6

shield | 0.9 | plinth | main=blue second=gold
second blob -44 96 0 88 44 96 46 50 0 0 -46 50
+ main blob -37 88 0 80 37 88 39 52 0 10 -39 52
second star 0 54 22 9

gem | 0.05 | plinth | main=cyan
main poly -34 98 34 98 62 68 0 2 -62 68
+ main+ poly -34 98 -16 68 0 98
main+ poly 34 98 16 68 0 98
white poly -62 68 -34 98 -16 68
main- poly -16 68 16 68 0 2
main- poly 62 68 16 68 0 2

heart | 0.3 | backdrop | main=red
joint all 0 50 wag 2
main blob 0 4 -44 44 -52 76 -30 98 0 80 30 98 52 76 44 44 @all
+ main+ blob -36 82 -40 66 -32 60 -26 76 @all

star | 0.3 | night | main=gold
joint all 0 50 swing 5
main star 0 50 52 22 @all
+ main+ poly 0 102 -13 68 0 50 @all
main+ poly -49 66 -21 43 0 50 @all

sun | 1 | sky | main=yellow second=orange
joint rays 0 50 spin 1
second star 0 50 52 34 12 @rays
+ main oval 0 50 32
main+ oval -10 60 9 6
ink oval -10 54 3 4
ink oval 10 54 3 4
lip line 2 -10 42 0 37 10 42

flag | 3 | hills | main=red second=white
joint cloth -40 80 swing 4
iron rod -40 0 -40 98 4
gold oval -40 99 4
+ main blob -38 94 -10 98 20 88 50 94 50 54 20 48 -10 58 -38 54 @cloth
second blob -38 82 -10 86 20 76 50 82 50 68 20 62 -10 72 -38 68 @cloth

ghost | 1.6 | night | main=white
joint all 0 0 bob 3
main blob 0 100 -30 88 -38 54 -42 6 -28 16 -14 2 0 14 14 2 28 16 42 6 38 54 30 88 @all
+ ink oval -11 66 6 9 @all
ink oval 13 66 6 9 @all
ink oval 1 46 6 8 @all
blush oval -23 54 6 4 @all
blush oval 25 54 6 4 @all

pumpkin | 0.3 | table | main=orange second=moss
second line 8 0 82 2 92 12 98
main- oval -34 44 24 38
main- oval 34 44 24 38
+ main oval -18 44 24 42
main oval 18 44 24 42
+ main+ oval 0 44 18 42

lantern pumpkin | 0.3 | night | main=orange second=moss
second line 8 0 82 2 92 12 98
main- oval -34 44 24 38
main- oval 34 44 24 38
+ main oval -18 44 24 42
main oval 18 44 24 42
main+ oval 0 44 18 42
+ lamp poly -30 52 -8 52 -18 68
lamp poly 30 52 8 52 18 68
lamp poly -32 34 -20 30 -14 36 -6 28 0 34 6 28 14 36 20 30 32 34 18 14 -18 14

snowman | 1.6 | snow | main=white second=red
timber line 3 18 54 40 68 46 78
timber line 3 -18 54 -40 64 -48 60
main oval 0 20 27 22
+ main oval 0 52 19 17
+ main oval 0 78 14
ink box -17 88 17 92 1
ink box -11 90 11 106 1
second box -11 92 11 96
ink oval -5 81 2
ink oval 6 81 2
orange poly 1 79 18 75 1 75
second blob -16 66 0 62 16 66 14 70 0 68 -14 70
second blob 6 66 12 46 18 48 14 66
ink oval 0 54 2
ink oval 0 46 2

treasure chest | 0.6 | underwater | main=wood second=gold
second oval -22 58 12 7
second oval 8 62 14 8
second oval 30 56 11 7
main- blob -58 60 -50 96 50 96 58 60 50 66 -50 66
+ main box -58 0 58 56 3
second box -58 44 58 52
second box -46 0 -38 56
second box 38 0 46 56
second box -9 32 9 52 2
ink oval 0 41 3

potion | 0.15 | table | main=purple second=wood
glass blob -9 92 -9 64 -40 30 -30 4 0 0 30 4 40 30 9 64 9 92
+ main blob -38 32 -29 6 0 2 29 6 38 32 0 28
main+ oval -14 18 5
main+ oval 10 22 4
white line 3 -26 36 -12 52
second box -10 90 10 102 2

globe | 0.4 | table | main=blue second=green third=wood
third box -26 0 26 7 3
third box -4 6 4 18
third ring 0 56 44 4
+ main oval 0 56 38
second blob -26 70 -8 84 2 72 -6 58 -20 60
second blob -10 50 6 50 8 34 -4 22 -12 36
second blob 14 72 30 74 34 56 22 50 14 60

robot toy | 1.2 | backdrop | main=steel second=red third=window
joint arm 26 58 swing 14
joint far -26 58 swing 14 0.5
iron box -20 0 -8 22 2
iron box 8 0 20 22 2
main- rod -28 58 -42 34 9 7 @far
+ main box -28 20 28 64 5
second box -18 40 18 56 3
lamp oval -9 48 4
green oval 4 48 4
window oval 14 32 5
+ main box -22 68 22 96 6
iron box -6 62 6 70
navy box -16 78 16 90 5
lamp oval -7 84 4
lamp oval 8 84 4
iron line 2 0 96 0 104
second oval 0 105 4
+ main rod 28 58 44 36 9 7 @arm
second oval 46 32 6 @arm

microphone | 0.25 | plinth | main=iron second=steel
main poly -9 60 -6 4 6 4 9 60
+ second oval 0 78 22 24
iron line 1.6 -20 84 20 84
iron line 1.6 -22 74 22 74
iron line 1.6 -8 98 -8 58
iron line 1.6 8 98 8 58
gold box -12 54 12 62 2

telescope | 1.4 | night | main=blue second=gold third=wood
third rod 0 50 -30 0 5
third rod 0 50 30 0 5
third rod 0 50 2 0 5
+ main poly -56 46 -50 34 52 80 44 96
second poly 40 98 50 78 60 82 50 104
second poly -60 46 -54 32 -48 34 -54 48

box | 0.4 | room | main=tan second=crust
second poly -50 66 -72 84 -20 80 0 66
second poly 50 66 72 84 20 80 0 66
+ main box -50 0 50 66
main- box -50 62 50 66
second box -8 40 8 66

basket | 0.3 | table | main=straw second=wood
second ring 0 60 42 5 0.95
+ main blob -50 52 -40 4 40 4 50 52 0 46
second line 2 -46 38 0 32 46 38
second line 2 -43 22 0 17 43 22
main- line 2 -24 46 -20 6
main- line 2 0 46 0 6
main- line 2 24 46 20 6
main+ line 6 -50 52 0 46 50 52

bench | 0.9 | hills | main=wood second=iron
second rod -66 44 -70 0 7
second rod 66 44 70 0 7
main- box -80 74 80 84 2
main- box -80 88 80 98 2
+ second rod -66 44 -66 98 6
second rod 66 44 66 98 6
main box -86 40 86 50 2

skateboard | 0.15 | road | main=red second=yellow
second oval -52 18 18
second oval 52 18 18
+ main blob -100 76 -84 50 -40 38 40 38 84 50 100 76 88 76 40 56 -40 56 -88 76

surfboard | 2 | sea | main=yellow second=red
main blob 0 102 -16 72 -18 36 -8 2 8 2 18 36 16 72
+ second box -3 4 3 98
white line 2 -17 40 17 40

snow globe | 0.15 | table | main=glass second=wood third=moss
second box -36 0 36 16 4
+ main oval 0 58 44
white blob -38 40 -20 32 20 32 38 40 22 22 -22 22
third poly -16 34 0 78 16 34
third poly -12 48 0 84 12 48
white oval -20 70 2.4
white oval 22 62 2.4
white oval 14 84 2.4
white oval -26 54 2.4

sign | 1.6 | road | main=cream second=wood
second box -40 0 -34 60
second box 34 0 40 60
main- box -82 44 82 100 6
+ main box -78 48 78 96 5

campfire | 0.5 | night | main=orange second=wood
joint fire 0 10 flap 0.35
main blob 0 100 -14 70 -34 48 -24 14 24 14 34 44 16 66 @fire
+ yellow blob 0 72 -10 48 -18 34 -12 14 12 14 18 34 8 50 @fire
+ second rod -46 4 40 18 10
second- rod 46 4 -40 18 10

dragon | 4 | mountains | main=#4f8f4a second=#d8b24a third=#b8372c
joint far 0 66 flap 0.9
joint wing -4 64 flap 0.9 0.05
joint tail -40 30 swing 6
joint head 40 66 swing 3
main- blob 4 60 20 104 56 112 42 96 44 84 30 82 28 68 14 58 @far
+ main line -16 -34 30 -66 18 -92 30 -104 54 @tail
third poly -112 46 -96 68 -98 50 @tail
+ main- rod 24 26 28 3 14 9
main- rod -20 26 -18 3 14 9
+ main blob -44 34 -24 56 10 60 34 50 40 34 26 18 -6 12 -34 18
second blob -18 20 10 18 30 28 38 42 26 30 4 24
+ main rod -30 26 -34 3 17 10
main rod 14 24 16 3 16 10
main oval -30 3 9 4
main oval 20 3 9 4
+ main line -22 24 46 46 56 38 76 50 92 @head
third poly 22 66 12 76 30 74 @head
third poly 26 80 16 90 34 88 @head
third poly -6 58 -10 70 6 60 @head
third poly -24 54 -30 66 -12 57 @head
+ second line -4 44 98 36 108 26 112 @head
second line -4 54 100 50 112 42 118 @head
+ main blob 38 84 36 96 50 104 64 100 82 94 86 84 72 80 52 78 @head
main- oval 80 91 2 1.6 @head
ink line 1.3 84 85 70 84 58 86 @head
white poly 78 84 76 79 74 84 @head
white poly 72 84 70 79 68 84 @head
white oval 54 95 5 5.4 @head
ink oval 55.5 95 2.6 3.6 @head
flame blob 88 86 100 94 118 92 108 86 120 80 102 80 @head
yellow blob 89 86 100 89 108 86 100 83 @head
+ third blob -6 58 -26 92 -58 118 -54 98 -68 92 -54 84 -62 72 -44 72 -40 60 -22 56 @wing
main line -3 -8 58 -28 90 -56 116 @wing
main line -2 -12 60 -40 84 -66 92 @wing
main line -2 -14 58 -40 70 -60 72 @wing

owl figure | 0.4 | branch | main=#94704f second=#5f452f third=#ead9bd
joint eyes 0 70 blink 1
joint left -30 56 swing 4
joint right 30 56 swing 4 0.5
gold line 3 -12 8 -14 0
gold line 3 -6 8 -6 0
gold line 3 12 8 14 0
gold line 3 6 8 6 0
second poly -8 12 8 12 12 -10 -12 -10
+ main blob -34 40 -36 78 -30 94 0 88 30 94 36 78 34 40 20 6 -20 6
+ third blob -22 40 -18 14 0 8 18 14 22 40 0 50
second line 2 -12 38 -8 34 -4 38
second line 2 4 38 8 34 12 38
second line 2 -12 26 -8 22 -4 26
second line 2 4 26 8 22 12 26
+ second blob -34 60 -44 40 -36 14 -24 22 -26 50 @left
second blob 34 60 44 40 36 14 24 22 26 50 @right
+ third oval -15 70 15
third oval 15 70 15
white oval -15 70 10 @eyes
white oval 15 70 10 @eyes
ink oval -13 70 6 @eyes
ink oval 13 70 6 @eyes
white oval -11 73 2 @eyes
white oval 15 73 2 @eyes
orange poly -4 64 4 64 0 54
second poly -34 82 -30 102 -14 88
second poly 34 82 30 102 14 88

fountain | 2 | garden | main=stone second=glass
joint jet 0 60 flap 0.12
second line 5 0 70 -20 100 -40 60 @jet
second line 5 0 70 20 100 40 60 @jet
second line 5 0 66 0 104 @jet
main box -5 20 5 66
main blob -34 66 -16 54 16 54 34 66
+ main blob -70 34 -62 2 62 2 70 34 0 28
second oval 0 34 64 7
""")

# kind → metres, home, inks, rule and its measures
BEASTS: dict[str, tuple[float, str, str, str, dict[str, Any]]] = {
    "cat": (0.4, "room", "main=#d98b45", "quadruped", {"length": 54, "depth": 25, "leg": 24, "thick": 8, "head": 16, "snout": 4, "muzzle": 5, "whiskers": True, "neck": 12, "nape": 18, "nose": "rose"}),
    "kitten": (0.3, "room", "main=#c9a27a", "quadruped", {"length": 42, "depth": 24, "leg": 16, "thick": 8, "head": 18, "snout": 3, "muzzle": 5, "whiskers": True, "neck": 9, "nape": 16, "nose": "rose"}),
    "dog": (0.6, "hills", "main=#b9793f second=coffee", "quadruped", {"ear": "flop", "tail": "plume", "head": 15, "snout": 10, "muzzle": 9, "leg": 27}),
    "puppy": (0.35, "hills", "main=#d9a566", "quadruped", {"ear": "flop", "tail": "plume", "length": 42, "depth": 25, "leg": 16, "head": 18, "snout": 7, "muzzle": 8, "neck": 9}),
    "horse": (1.7, "hills", "main=#8a5430 second=coffee", "quadruped", {"length": 70, "depth": 29, "leg": 46, "thick": 8, "neck": 36, "rise": 55, "nape": 18, "head": 12, "snout": 18, "muzzle": 9, "ear": "point", "tail": "brush", "mane": "second", "hoof": "ink"}),
    "cow": (1.5, "hills", "main=white second=#5b3a2a", "quadruped", {"length": 76, "depth": 38, "leg": 26, "thick": 10, "head": 15, "snout": 11, "muzzle": 12, "ear": "side", "horn": "cow", "coat": "patch", "tail": "tuft", "cheek": "pink", "hoof": "ink", "rise": 30}),
    "pig": (0.9, "hills", "main=#f0a3a6", "quadruped", {"length": 60, "depth": 38, "leg": 15, "thick": 10, "neck": 9, "rise": 10, "head": 17, "snout": 7, "muzzle": 11, "ear": "flop", "tail": "pig", "cheek": "main-", "hoof": "main-"}),
    "sheep": (1.0, "hills", "main=#f3eee0 second=ink", "quadruped", {"length": 58, "depth": 36, "leg": 20, "thick": 6, "neck": 12, "rise": 30, "head": 13, "snout": 8, "muzzle": 8, "ear": "side", "tail": "puff", "coat": "wool", "cheek": "ink"}),
    "goat": (0.9, "mountains", "main=#e7dccb second=tan", "quadruped", {"length": 54, "depth": 28, "leg": 28, "thick": 7, "ear": "side", "horn": "ram", "tail": "short", "snout": 12, "hoof": "ink"}),
    "lion": (1.2, "desert", "main=#d9a24e second=#8a4a22", "quadruped", {"length": 68, "depth": 30, "leg": 28, "mane": "lion", "ear": "round", "tail": "tuft", "snout": 9, "muzzle": 10, "head": 15}),
    "tiger": (1.1, "forest", "main=#e58a35 second=ink", "quadruped", {"length": 72, "depth": 30, "leg": 26, "ear": "round", "tail": "long", "coat": "stripes", "snout": 8, "muzzle": 10, "head": 15, "cheek": "white", "whiskers": True}),
    "leopard": (0.9, "forest", "main=#dfae5c second=coffee", "quadruped", {"length": 70, "depth": 27, "leg": 26, "ear": "round", "tail": "long", "coat": "spots", "snout": 8, "muzzle": 9, "head": 14, "whiskers": True}),
    "fox": (0.5, "forest", "main=#d8682c second=#c25420", "quadruped", {"length": 52, "depth": 22, "leg": 24, "thick": 7, "tail": "bush", "snout": 15, "muzzle": 5, "cheek": "white", "belly": "white", "head": 13}),
    "wolf": (0.9, "forest", "main=#7d828b second=iron", "quadruped", {"length": 62, "depth": 26, "leg": 32, "thick": 8, "tail": "bush", "snout": 16, "muzzle": 7, "cheek": "main+", "belly": "main+"}),
    "bear": (1.5, "forest", "main=#6b452b", "quadruped", {"length": 66, "depth": 42, "leg": 20, "thick": 14, "ear": "round", "tail": "short", "head": 18, "snout": 9, "muzzle": 9, "neck": 10, "nape": 26}),
    "panda": (1.2, "forest", "main=white second=ink", "quadruped", {"length": 58, "depth": 40, "leg": 18, "thick": 14, "ear": "round", "tail": "short", "head": 19, "snout": 5, "muzzle": 8, "neck": 8, "nape": 26, "limb": "second"}),
    "rabbit": (0.35, "hills", "main=#b9a48e", "quadruped", {"length": 40, "depth": 30, "leg": 11, "thick": 9, "ear": "long", "tail": "puff", "head": 15, "snout": 4, "muzzle": 6, "neck": 9, "whiskers": True, "nose": "rose"}),
    "mouse": (0.1, "table", "main=#9a948f", "quadruped", {"length": 44, "depth": 28, "leg": 8, "thick": 6, "ear": "mouse", "tail": "long", "head": 14, "snout": 9, "muzzle": 4, "neck": 7, "rise": 15, "whiskers": True, "nose": "rose"}),
    "squirrel": (0.25, "forest", "main=#b0602c second=#b0602c", "quadruped", {"length": 36, "depth": 26, "leg": 10, "thick": 7, "ear": "round", "tail": "fox", "head": 14, "snout": 5, "muzzle": 5, "neck": 12, "belly": "white"}),
    "deer": (1.4, "forest", "main=#a86d3e", "quadruped", {"length": 58, "depth": 24, "leg": 42, "thick": 6, "neck": 28, "rise": 62, "nape": 14, "head": 11, "snout": 12, "muzzle": 6, "ear": "side", "horn": "antler", "tail": "short", "belly": "main+", "hoof": "ink"}),
    "fawn": (0.8, "forest", "main=#b9824f second=white", "quadruped", {"length": 48, "depth": 20, "leg": 38, "thick": 5, "neck": 20, "rise": 60, "nape": 12, "head": 12, "snout": 9, "muzzle": 6, "ear": "side", "coat": "spots", "tail": "short", "hoof": "ink"}),
    "elephant": (3, "desert", "main=#8d95a1", "quadruped", {"length": 72, "depth": 48, "leg": 26, "thick": 15, "neck": 8, "rise": 20, "head": 22, "snout": 2, "muzzle": 10, "ear": "big", "tail": "tuft", "trunk": True, "hoof": "main+"}),
    "giraffe": (5, "desert", "main=#e2b45c second=#9a5a2c", "quadruped", {"length": 54, "depth": 24, "leg": 52, "thick": 7, "neck": 70, "rise": 72, "nape": 12, "head": 10, "snout": 12, "muzzle": 7, "ear": "side", "horn": "knobs", "coat": "spots", "tail": "tuft", "hoof": "ink"}),
    "zebra": (1.4, "desert", "main=white second=ink", "quadruped", {"length": 64, "depth": 28, "leg": 40, "thick": 8, "neck": 28, "rise": 55, "nape": 17, "head": 12, "snout": 15, "muzzle": 8, "coat": "stripes", "mane": "second", "tail": "tuft", "hoof": "ink", "cheek": "iron"}),
    "camel": (2.1, "desert", "main=#cfa064", "quadruped", {"length": 64, "depth": 30, "leg": 44, "thick": 8, "neck": 36, "rise": 66, "nape": 13, "head": 11, "snout": 13, "muzzle": 8, "ear": "side", "tail": "tuft"}),
    "unicorn": (1.7, "hills", "main=#f7f2f6 second=#d58ac6", "quadruped", {"length": 68, "depth": 28, "leg": 44, "thick": 8, "neck": 34, "rise": 56, "nape": 17, "head": 12, "snout": 16, "muzzle": 8, "tail": "brush", "mane": "second", "horn": "unicorn", "hoof": "gold"}),
    "rhino": (1.7, "desert", "main=#858487", "quadruped", {"length": 74, "depth": 42, "leg": 22, "thick": 14, "neck": 10, "rise": 10, "head": 17, "snout": 16, "muzzle": 12, "horn": "rhino", "ear": "point", "tail": "tuft"}),
    "dinosaur": (4, "forest", "main=#6fa055 second=#4a7a3c", "quadruped", {"length": 70, "depth": 38, "leg": 22, "thick": 13, "neck": 62, "rise": 66, "nape": 17, "head": 12, "snout": 10, "muzzle": 9, "ear": "none", "tail": "long", "belly": "main+", "coat": "spots"}),
    "bird": (0.2, "branch", "main=#4f86c6 second=#2f5a94", "bird", {"belly": "orange"}),
    "robin": (0.15, "branch", "main=#8a6b52 second=#5d4636", "bird", {"belly": "red"}),
    "flying bird": (0.3, "sky", "main=#5b8fc7 second=#335d94", "bird", {"flying": True}),
    "owl": (0.4, "branch", "main=#94704f second=#5f452f", "bird", {"body": 24, "plump": 1.15, "head": 19, "beak": "hook", "tail": 8, "crest": "main", "leg": 8}),
    "parrot": (0.4, "branch", "main=red second=yellow", "bird", {"beak": "hook", "tail": 40, "wing": "blue", "bill": "ink", "belly": "main"}),
    "eagle": (0.9, "mountains", "main=#5a4030 second=#3d2a1e", "bird", {"flying": True, "beak": "hook", "bill": "gold", "belly": "main", "head": 11}),
    "duck": (0.4, "lake", "main=#e9e4d6 second=#bdb6a4", "bird", {"beak": "flat", "tail": 12, "leg": 8, "webbed": True, "neck": 10, "belly": "main"}),
    "chicken": (0.5, "hills", "main=#f3ead8 second=#c9b594", "bird", {"plump": 0.9, "tail": 18, "crest": "red", "neck": 8}),
    "swan": (1, "lake", "main=#fbfaf5 second=#d8d6cf", "bird", {"body": 34, "plump": 0.55, "neck": 44, "tail": 14, "leg": 0, "head": 9, "belly": "main"}),
    "flamingo": (1.3, "lake", "main=#f58fa3 second=#d95f7c", "bird", {"body": 24, "plump": 0.7, "neck": 42, "tail": 10, "leg": 54, "head": 9, "beak": "hook", "bill": "ink", "belly": "main"}),
    "crane": (1.4, "lake", "main=#f4f2ec second=ink", "bird", {"body": 28, "plump": 0.6, "neck": 36, "tail": 16, "leg": 48, "head": 8, "beak": "long", "crest": "red", "belly": "main"}),
    "peacock": (1.2, "garden", "main=#1f6fa8 second=#2b9a72", "bird", {"neck": 24, "tail": 66, "wing": "second", "crest": "second", "leg": 18, "head": 9, "belly": "main"}),
    "penguin": (0.7, "snow", "main=#252a35 second=#151a22", "bird", {"body": 24, "plump": 1.35, "tail": 5, "leg": 6, "belly": "white", "webbed": True, "wing": "main", "head": 15}),
    "hummingbird": (0.1, "garden", "main=#2fa37c second=#1c6b52", "bird", {"flying": True, "beak": "long", "bill": "ink", "belly": "white"}),
    "fish": (0.3, "underwater", "main=#f08a35 second=#d4582b", "swimmer", {"stripes": "white"}),
    "goldfish": (0.1, "underwater", "main=#f39b2e second=#e86f26", "swimmer", {"depth": 36}),
    "koi": (0.5, "underwater", "main=white second=red", "swimmer", {"depth": 24, "stripes": "red"}),
    "shark": (2, "underwater", "main=#73838f second=#566672", "swimmer", {"length": 84, "depth": 28, "tail": "shark", "fin": "shark", "belly": "white", "teeth": True}),
    "whale": (8, "underwater", "main=#3f6d97 second=#2c5378", "swimmer", {"length": 88, "depth": 46, "tail": "fan", "fin": "none", "belly": "white", "flat": True, "spout": True}),
    "dolphin": (1.2, "sea", "main=#6d93ae second=#52778f", "swimmer", {"length": 76, "depth": 26, "tail": "shark", "fin": "shark", "belly": "white"}),
    "butterfly": (0.1, "garden", "main=#e9862c second=#d65f2a", "flier", {}),
    "bee": (0.05, "garden", "main=#f3bd33", "flier", {"wings": "bee"}),
    "dragonfly": (0.1, "lake", "main=#2f8f9d", "flier", {"wings": "dragonfly"}),
    "ladybird": (0.03, "garden", "main=#d32f2f", "flier", {"wings": "ladybird"}),
}  # fmt: skip

RULES = {"quadruped": quadruped, "bird": bird, "swimmer": swimmer, "flier": flier}


@functools.cache
def thing(name: str) -> Figure:
    """One of the THINGS, cut."""
    return drawn(THINGS[name].cut)


def beast(name: str, **measures: Any) -> Figure:
    """One of the BEASTS, with measures of a breed."""
    _, _, _, rule, own = BEASTS[name]
    return RULES[rule](**(own | measures))


@functools.cache
def colours_of(inks: str) -> dict[str, Rgb]:
    """Named inks: "main=red second=#aabbcc"."""
    found: dict[str, Rgb] = {}
    for each in inks.split():
        name, _, value = each.partition("=")
        found[name] = colour_of(value)
    return found


EXTRA: dict[str, Rgb] = {
    "teal": (0.16, 0.52, 0.54),
    "crimson": (0.66, 0.10, 0.20),
    "lime": (0.78, 0.88, 0.24),
    "cyan": (0.35, 0.78, 0.90),
}


def colour_of(value: str) -> Rgb:
    if value.startswith("#"):
        red, green, blue = (int(value[at : at + 2], 16) / 255 for at in (1, 3, 5))
        return red, green, blue
    return INKS.get(value) or EXTRA[value]
