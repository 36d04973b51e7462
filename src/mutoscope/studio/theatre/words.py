"""What the theatre knows of words: which noun is which figure, and what numbers, sizes, verbs and relations ask for.

The tables are the vocabulary. A row is `figure measures… | words`; the measures are inks (`main=yellow`), or what the
figure's rule takes. Plurals follow by rule. Other languages have their commonest nouns.
"""

import functools
from dataclasses import dataclass

_THINGS = """
owl figure | owl, búho, hibou, eule, フクロウ, сова
dragon | dragon, wyvern, dragón, drache, 龍, 竜, дракон
car | car, automobile, sedan, coupe, suv, voiture, coche, auto, macchina, carro, 車, 汽车, 자동차, машина
car main=yellow | taxi, cab
car main=white second=navy | police car
car main=teal | vintage car, classic car, old car, beetle
sports car | sports car, race car, racing car, supercar, ferrari, lamborghini, porsche, convertible, formula one car
bus | bus, coach, minibus, school bus, van, camper van, tram
bus main=red | double decker, double-decker bus, fire engine, fire truck, red bus
truck | truck, lorry, pickup, pickup truck, delivery van
bicycle | bicycle, bike, fahrrad, bicicleta, vélo, 自転車
motorcycle | motorcycle, motorbike, scooter, vespa, moped
train | train, steam train, locomotive, steam engine, tren, zug, 電車, поезд
boat | boat, sailboat, sailing boat, yacht, barco, bateau, boot, 船, лодка
ship | ship, cruise ship, ocean liner, ferry, battleship, pirate ship
airplane | airplane, aeroplane, plane, jet, aircraft, airliner, avión, avion, flugzeug, 飛行機
helicopter | helicopter, chopper, drone quadcopter
hot air balloon | hot air balloon, hot-air balloon, air balloon
rocket | rocket, spaceship, spacecraft, space shuttle, starship, cohete, rakete, fusée, ракета
ufo | ufo, flying saucer, alien ship
submarine | submarine
house | house, cottage, home, villa, mansion, building, hotel, casa, maison, haus, 家, дом, school, shop, store, bakery, barn, farmhouse
cabin | cabin, log cabin, hut, lodge, chalet, treehouse
castle | castle, fortress, palace, citadel, castillo, château, schloss, 城, замок
lighthouse | lighthouse, faro, phare, leuchtturm, 灯台, маяк
windmill | windmill, mill
bridge | bridge, puente, pont, brücke, 橋
church | church, cathedral, chapel, monastery, iglesia
tower | eiffel tower, radio tower, tower
pagoda | pagoda, temple, shrine, 寺
tent | tent, yurt, tipi, teepee
tree | bonsai, tree of life, oak tree, lone tree, apple tree, magic tree
potted tree | potted plant, houseplant, pot plant, plant, plants, potted tree, tree in a pot, topiary
vase of flowers main=yellow third=brown | vase of sunflowers, sunflowers in a vase
vase of flowers | vase of flowers, vase of roses, vase of tulips, vase of lilies, vase of peonies, vase of daisies, vase of lavender, vase, vase with flowers, flower vase, flowers in a vase
flower main=yellow second=brown | sunflower, girasol, tournesol, sonnenblume
flower | flower, single flower, daisy, tulip bulb, lotus, lily, orchid, dandelion, flor, fleur, blume, 花, цветок
rose | rose, roses
bouquet | bouquet, bouquet of flowers, bunch of flowers
cactus | cactus, cacti, succulent, succulents
mushroom | mushroom, mushrooms, toadstool, fungi, fungus
cup | cup, coffee, cup of coffee, coffee cup, mug, cappuccino, espresso, latte, hot chocolate, café, kaffee, コーヒー, кофе
cup second=orange | tea, cup of tea, tea cup, teacup, matcha
teapot | teapot, kettle
bowl | bowl, ramen, bowl of ramen, noodles, soup, bowl of soup, bowl of noodles, stew, curry, pho, ラーメン
bowl second=green third=red | salad, bowl of salad
bowl main=cream second=crust third=red | cereal, porridge, oatmeal, bowl of rice, rice
plate | plate, pasta, spaghetti, plate of pasta, dish, meal, dinner, lunch, food, paella, comida
plate second=brown third=leaf | steak, roast chicken, turkey dinner, barbecue, meat
bottle | bottle, wine bottle, bottle of wine, beer bottle, champagne, whiskey, whisky
bottle main=window | water bottle, shampoo, lotion
perfume | perfume, perfume bottle, fragrance, cologne, cosmetics, skincare, cream jar
jar | jar, jam, jar of honey, honey, marmalade, jar of jam
wine glass | wine glass, glass of wine, wine, cocktail, drink, juice, lemonade, beer, glass
apple | apple, apples, manzana, pomme, apfel, リンゴ, 苹果, яблоко
apple main=green | green apple
pear | pear, avocado
orange fruit | oranges, orange fruit, tangerine, mandarin, peach, apricot, mango, fruit
lemon | lemon, lemons, lime fruit
banana | banana, bananas
strawberry | strawberry, strawberries, raspberry, berries, berry
cherries | cherries
grapes | grapes, bunch of grapes, blueberries
watermelon | watermelon, slice of watermelon, melon
cake | cake, birthday cake, wedding cake, cheesecake, pie, pastel de cumpleaños, gâteau, kuchen, торт
cupcake | cupcake, cupcakes, muffin, muffins, dessert
pizza | pizza, slice of pizza, ピザ
burger | burger, hamburger, cheeseburger, sandwich
ice cream | ice cream, ice cream cone, gelato, sundae, helado
donut | donut, doughnut, donuts, doughnuts, bagel
bread | bread, loaf, loaf of bread, sourdough, toast, baguette, pan de pueblo
croissant | croissant, croissants, pastry, pastries
sushi | sushi, nigiri, 寿司
egg | egg, eggs, fried egg, breakfast
pancakes | pancakes, pancake, waffles, stack of pancakes, tacos, taco
cheese wedge | cheese
book | book, open book, magazine, notebook, libro, livre, buch, 本, книга
candle | candle, candles, candlelight
lamp | lamp, table lamp, desk lamp, lámpara
lantern | lantern, lanterns, paper lantern, paper lanterns
chair | chair, stool, rocking chair, silla
armchair | armchair, recliner, throne
sofa | sofa, couch, settee, sofá, canapé, divano, диван, ソファ
table | desk, dining table
bed | bed
guitar | guitar, acoustic guitar, electric guitar, bass, ukulele, banjo, guitarra
violin | violin, cello, viola
piano | piano, grand piano, keyboard, organ
drum | drum, drums, drum kit
trumpet | trumpet, saxophone, trombone, horn
ball | football, soccer ball, ball
ball main=red second=white | beach ball
basketball | basketball
tennis ball | tennis ball, tennis
balloon | balloon, balloons, ballon, globo, luftballon, palloncino
umbrella | umbrella, parasol, paraguas
hat | hat, fedora, cowboy hat, sombrero
crown | crown, tiara
shoe | shoe, sneaker, sneakers, shoes, trainer, trainers, running shoe, running shoes
boot | boot, boots
high heel | high heel, high heels, stiletto
dress | wedding dress, gown on a mannequin, dress
shirt | t-shirt, tshirt, shirt, jersey
watch | watch, wristwatch, wrist watch, smartwatch
clock | clock, alarm clock, wall clock, pocket watch
phone | phone, smartphone, iphone, mobile phone, mobile, tablet
laptop | laptop, computer, macbook, pc
television | television, tv, monitor, screen
camera | vintage camera, film camera, polaroid, photo camera, camera on a table
headphones | headphones, earphones, headset
sunglasses | sunglasses, glasses, goggles
backpack | backpack, rucksack, school bag
handbag | handbag, purse, bag, leather bag
suitcase | suitcase, luggage, briefcase
gift | gift, present, gift box, presents, gifts
key | key, keys, golden key
sword | sword, katana, blade, lightsaber, dagger
shield | shield, coat of arms
gem | gem, diamond, crystal, crystals, gemstone, jewel, ring, diamond ring, emerald stone, ruby
heart | heart, hearts
star | gold star, star shape
sun | smiling sun
flag | flag, banner flag
ghost | ghost, ghosts, spirit, phantom
pumpkin | pumpkin, pumpkins
lantern pumpkin | jack-o-lantern, jack o lantern, halloween pumpkin, halloween
snowman | snowman
treasure chest | treasure chest, treasure, chest of gold
potion | potion, potion bottle, elixir, beaker
globe | globe
robot toy | robot, robots, android robot, mech, mecha, toy robot, ロボット, робот
microphone | microphone, podcast
telescope | telescope
box | box, cardboard box, package, parcel
basket | basket, picnic basket
bench | bench, park bench
skateboard | skateboard
surfboard | surfboard
snow globe | snow globe
sign | sign, signpost, billboard, street sign
campfire | campfire, bonfire, fireplace
fountain | fountain
"""

_BEASTS = """
cat | cat, tabby, tabby cat, ginger cat, gato, gata, chat, katze, gatto, 猫, ねこ, ネコ, 고양이, кот, кошка, قطة, बिल्ली
cat main=#e9dfd0 second=coffee cheek=coffee | siamese, siamese cat
cat main=#8f9096 | british shorthair, russian blue, grey cat
kitten | kitten
dog | dog, golden retriever, retriever, labrador, hound, perro, chien, hund, cane, cachorro, 犬, いぬ, 강아지, 狗, собака, كلب
dog leg=11 length=66 ear=point main=#d9924c belly=white cheek=white tail=puff | corgi
dog leg=9 length=80 main=#7a4526 | dachshund, sausage dog
dog ear=point main=#5d4a3a belly=tan tail=bush | german shepherd, shepherd dog
dog ear=point main=#7f8894 belly=white cheek=white tail=curl | husky, siberian husky, malamute
dog coat=spots main=white second=ink | dalmatian
dog leg=20 head=18 snout=4 main=#c9a57c cheek=ink tail=curl | pug, bulldog, french bulldog, boxer
dog coat=wool main=#e9d9c6 tail=puff | poodle, bichon
dog main=#e0b070 tail=curl ear=point cheek=cream | shiba, shiba inu, akita
dog main=ink belly=white | border collie, collie
puppy | puppy, pup
horse | horse, stallion, mare, caballo, cheval, pferd, cavallo, 馬, лошадь, حصان
horse leg=30 length=60 neck=26 main=#b07a48 | pony, foal, donkey
cow | cow, bull, ox, calf, cattle, vaca, vache, kuh, 牛, корова
pig | pig, piglet, hog, cerdo, cochon, schwein
sheep | sheep, lamb, oveja, mouton, schaf
goat | goat
lion | lion, lioness, león, löwe, ライオン, лев
tiger | tiger, tigre, 虎, тигр
leopard | leopard, cheetah, jaguar, panther
fox | fox, zorro, renard, fuchs, キツネ, лиса, volpe
wolf | wolf, coyote, lobo, loup, волк
bear | bear, grizzly, teddy bear, teddy, oso, ours, bär, 熊, медведь
bear main=#eef1f4 | polar bear
bear main=#3b3a40 head=20 snout=7 leg=24 | gorilla, ape
bear main=#8a5a38 length=44 depth=30 leg=22 ear=mouse tail=long | monkey, chimpanzee, lemur
mouse main=#8a6f58 coat=spots depth=34 ear=round tail=none | hedgehog, porcupine
mouse main=#5d5a66 ear=none tail=long leg=9 length=60 depth=24 | otter, beaver, seal, lizard, crocodile, alligator, frog, toad, crab
panda | panda
rabbit | rabbit, bunny, hare, conejo, lapin, hase, kaninchen, ウサギ, кролик
mouse | mouse, rat, hamster, guinea pig, ratón, souris, maus
squirrel | squirrel, chipmunk
deer | deer, stag, elk, moose, reindeer, ciervo, cerf, hirsch, 鹿, олень
fawn | fawn, doe
elephant | elephant, mammoth, elefante, éléphant, elefant, ゾウ, слон
giraffe | giraffe
zebra | zebra
camel | camel, llama, alpaca
unicorn | unicorn, pegasus
rhino | rhino, rhinoceros, hippo
dinosaur | dinosaur, brontosaurus, t-rex, monster
bird | bird, sparrow, songbird, bluebird, finch, pájaro, oiseau, vogel, uccello, 鳥, птица, طائر
robin | robin
flying bird | seagull, seagulls, gull, dove, swallow, pigeon, raven, crow, flying bird
parrot | parrot, macaw, toucan
eagle | eagle, hawk, falcon, águila, phoenix
duck | duck, duckling, rubber duck, goose, pato, canard, ente
duck main=yellow | yellow duck
chicken | chicken, hen, rooster
swan | swan
flamingo | flamingo
crane | crane, heron, stork
peacock | peacock
penguin | penguin, pingüino, pinguin, ペンギン, пингвин
hummingbird | hummingbird, kingfisher
fish | fish, clownfish, tropical fish, pez, poisson, fisch, 魚, рыба
goldfish | goldfish
koi | koi, carp, koi fish
shark | shark
whale | whale, orca, ballena, baleine, wal
dolphin | dolphin
butterfly | butterfly, moth, mariposa, papillon, schmetterling, 蝶, бабочка
bee | bee, bumblebee, honeybee, wasp
dragonfly | dragonfly
ladybird | ladybird, ladybug, beetle bug
"""

_PEOPLE = """
person | person, human, somebody, someone, tourist, traveler, traveller, student, character, persona, personne, mensch, 人, человек
person hair=short | man, guy, gentleman, male, dude, hombre, homme, mann, uomo, 男, мужчина, father, dad, husband, actor, friend, worker, photographer, programmer, developer, engineer, teacher
person hair=long dress=dress | woman, lady, female, mujer, femme, frau, donna, 女, женщина, mother, mom, wife, actress, model
person hair=tail dress=dress age=child | girl, niña, fille, mädchen, 女の子, 少女, девочка, schoolgirl
person age=child | boy, niño, garçon, junge, 少年, мальчик, schoolboy
person age=child hair=curly | child, kid, toddler, baby, children, infant
person hair=bun dress=dress pose=dance | dancer, ballerina, ballet dancer
person age=old hair=bald beard=1 | grandfather, grandpa, old man, elder, abuelo
person age=old hair=bun dress=dress | grandmother, grandma, old woman, abuela
person dress=space cloth=white legs=white | astronaut, cosmonaut, spaceman, astronauta, astronaute, 宇宙飛行士, космонавт
person dress=armour cloth=steel legs=iron hat=helmet | knight, soldier, guard, warrior, gladiator, viking, spartan, caballero
person dress=robe cloth=purple hat=wizard beard=1 hairink=white | wizard, sorcerer, mage, merlin
person dress=gown cloth=ink hat=wizard hair=long | witch, sorceress
person dress=gown cloth=red hat=crown hair=long | queen, empress
person dress=robe cloth=crimson hat=crown beard=1 | king, emperor
person dress=gown cloth=pink hat=crown hair=long | princess
person dress=coat cloth=blue hat=crown | prince
person dress=gown cloth=green wings=1 hair=long | fairy, angel, elf, nymph, goddess
person dress=apron cloth=white hat=chef | chef, cook, baker, barista
person dress=coat cloth=navy legs=navy hat=police | policeman, police officer, cop, pilot, captain, sailor
person dress=coat cloth=orange hat=hard | builder, construction worker, firefighter, fireman, miner
person dress=white+coat cloth=white glasses=clear | doctor, scientist, nurse, chemist
person dress=suit cloth=navy legs=navy | businessman, lawyer, ceo, politician, president, spy, agent, groom, waiter
person dress=suit cloth=iron legs=iron hair=bun | businesswoman, secretary
person dress=coat cloth=brown hat=brim | cowboy, detective, explorer, farmer, archaeologist, gardener, fisherman
person dress=coat cloth=crimson hat=pirate beard=1 | pirate
person dress=robe cloth=ink hat=hood | ninja, assassin, monk, reaper, thief
person dress=robe cloth=navy hair=bun pose=hold prop=sword | samurai, ronin
person dress=robe cloth=crimson hair=bun | geisha, kung fu master
person dress=hero cloth=blue legs=blue cape=1 | superhero, superman, hero, batman, spider-man
person dress=coat cloth=red legs=red hat=santa beard=1 hairink=white | santa, santa claus, father christmas
person mask=robot dress=armour cloth=steel legs=iron | humanoid robot, cyborg, android
person dress=gown cloth=white hat=veil hair=long | bride, nun
person dress=shirt pose=play prop=guitar hair=curly | musician, guitarist, rock star, singer, busker
person pose=run cloth=red legs=navy | runner, jogger, athlete, sprinter, marathon runner
person pose=kick cloth=red legs=white | footballer, soccer player, football player
person pose=jump prop=basketball cloth=orange legs=orange | basketball player
person pose=hold prop=tennis+ball cloth=white legs=white hat=cap | tennis player
person pose=ride cloth=yellow hat=hard | cyclist, biker
person pose=stand prop=surfboard cloth=blue legs=blue | surfer
person pose=jump hat=beanie cloth=red | skier, snowboarder
person pose=jump prop=skateboard hat=cap dress=hoodie | skateboarder, skater
person pose=hold prop=book | reader, librarian, poet, writer
person hair=mohawk cloth=ink | punk
person hat=headphones dress=hoodie | dj, gamer, hacker
person dress=robe cloth=orange hair=bald pose=meditate | yogi, buddha
person dress=gown cloth=teal hair=long | mermaid
person hair=curly hairink=#e2542f dress=hoodie cloth=yellow legs=red face=sad | clown
person dress=robe cloth=leaf beard=1 hairink=#a9542a | dwarf, gnome, hobbit, leprechaun
person dress=gown cloth=white hair=curly | angel statue, goddess statue, statue, sculpture
person dress=robe cloth=moss | zombie, vampire, mummy
"""

_ICONS = """
koala, kangaroo, stairs=staircase, timer-sand=hourglass, ceiling-light=chandelier, chandelier,  jellyfish, snail, snake, spider, turtle, bat, donkey, alien, skull, anchor, axe, bomb, broom, palette, calculator,
carrot, corn, dice-5=dice, dna, dumbbell, ferris-wheel, fridge, gamepad-variant=gamepad, gavel, grill, hammer, island, lipstick,
cookie, fruit-pineapple=pineapple, peanut, popcorn, pretzel, rice, food-drumstick=drumstick, medal, trophy, microscope,
necklace, oil-lamp, pencil, pinwheel, pipe, piggy-bank, puzzle, radio, rake, saw-blade=saw, scissors-cutting=scissors, ship-wheel, shovel,
speaker, stairs, stethoscope, stove, baby-carriage=stroller, tank, toilet, toothbrush, tractor, traffic-light, tie, typewriter,
volleyball, wallet, washing-machine, watering-can, wrench, yin-yang, volcano, barn, mosque, palm-tree, sprout, cannon,
chess-king=chess, chili-mild=chili, chili-mild=pepper, compass, crystal-ball, cube-outline=cube, door, dresser, fan, fence, fire, forklift, golf, hockey-sticks=hockey, kayaking,
ladder, leaf, candycane=candy, mirror, ski, snowboard, swim=swimmer, karate, yoga, bowling, tshirt-crew, bow-arrow=bow, fan, rocket-launch,
robot-vacuum=vacuum, hops, hospital-building=hospital, factory, stadium, bank, coffee-maker, blender, silverware-fork-knife=cutlery, chef-hat, safety-goggles,
diving-scuba-mask=diver, diving-scuba-mask=scuba, parachute, airballoon, ambulance, excavator, crane=construction crane, tram, sail-boat, ferry, bell, book-open-page-variant, brain, bug, cards-playing=cards, cash=money,
chart-line=chart, controller-classic=controller, crosshairs, currency-btc=bitcoin, cog=gear, lightbulb=light bulb, lightbulb, magnet, map, paw, pill, shopping=shopping bag, tools, train-car, umbrella-beach, virtual-reality=vr, web, zodiac-leo, castle, fountain-pen, feather, flask, hand-heart, human-handsup, weather-tornado=tornado, meteor, satellite-variant=satellite, satellite-variant, orbit, atom, flower-tulip=tulip, flower-poppy, clover, cactus, forest, image-frame=painting frame, drama-masks=mask, drama-masks=masks, party-popper=confetti, firework=fireworks, cake-variant, candle, cup, glass-cocktail, food-hot-dog=hot dog, french-fries=fries, french-fries=french fries, food-turkey=turkey, food-steak, noodles, mushroom, sausage, egg, ice-pop=popsicle, cupcake, fruit-cherries, fruit-citrus=lime, pot-steam=pot, pot-steam=cooking pot, kettle, knife, spoon-sugar=spoon, lighthouse, bridge, tent, campfire, binoculars, hiking=hiker, waves, sail-boat, rowing=rower, surfing, horse-human=jockey, motorbike, racing-helmet=helmet, trophy, soccer, baseball-bat=baseball, football, badminton, boxing-glove=boxing glove, boomerang, kite, teddy-bear, toy-brick=brick, toy-brick=lego, space-invaders=invader, sword-cross=swords, shield, castle, treasure-chest, wizard-hat, unicorn, pistol=gun, human-wheelchair=wheelchair, dog-service, fire-hydrant=hydrant, mailbox, bench, lamp, bed, sofa, table-furniture, bookshelf, television, shower, bathtub
"""

NUMBERS: dict[str, int] = {
    **{word: number for number, word in enumerate("one two three four five six seven eight nine ten eleven twelve".split(), 1)},  # noqa: SIM905
    **{str(number): number for number in range(2, 13)},
    "pair": 2, "couple": 2, "trio": 3, "several": 4, "few": 3, "many": 7, "group": 5, "crowd": 9, "flock": 7, "herd": 6, "pack": 5,
    "school": 8, "bunch": 5, "swarm": 9, "dozen": 12, "dos": 2, "tres": 3, "deux": 2, "trois": 3, "zwei": 2, "drei": 3, "due": 2,
    "dozens": 12, "family": 4, "team": 5, "row": 5, "stack": 3, "pile": 5, "lots": 8,
}  # fmt: skip
SIZES: dict[str, float] = {
    "tiny": 0.5, "small": 0.72, "little": 0.72, "mini": 0.55, "miniature": 0.5, "big": 1.25, "large": 1.25, "huge": 1.5, "giant": 1.6,
    "enormous": 1.6, "gigantic": 1.6, "massive": 1.5, "colossal": 1.6, "tall": 1.25, "towering": 1.5, "short": 0.8, "oversized": 1.4,
    "chubby": 1.1, "pequeño": 0.72, "grande": 1.25, "petit": 0.72, "kleine": 0.72, "kleiner": 0.72, "große": 1.25,
}  # fmt: skip
# word → what it changes of the one whom it is said of: looks of people, measures of animals
LOOKS: dict[str, dict[str, str]] = {
    "old": {"age": "old"}, "elderly": {"age": "old"}, "aged": {"age": "old"}, "wise": {"age": "old", "beard": "1"}, "young": {"hair": "tail", "age": "child"},
    "happy": {"face": "grin"}, "smiling": {"face": "grin"}, "laughing": {"face": "grin"}, "cheerful": {"face": "grin"}, "joyful": {"face": "grin"}, "smile": {"face": "grin"},
    "sad": {"face": "sad"}, "crying": {"face": "sad"}, "melancholic": {"face": "sad"}, "lonely": {"face": "sad"}, "angry": {"face": "angry"}, "furious": {"face": "angry"}, "fierce": {"face": "angry"},
    "serious": {"face": "plain"}, "stern": {"face": "plain"}, "surprised": {"face": "wow"}, "shocked": {"face": "wow"}, "scared": {"face": "wow"},
    "calm": {"face": "closed"}, "sleepy": {"face": "closed", "asleep": "1"}, "bald": {"hair": "bald"}, "bearded": {"beard": "1"}, "beard": {"beard": "1"}, "mustache": {"beard": "1"}, "moustache": {"beard": "1"},
    "blonde": {"hairink": "#e6c36a"}, "blond": {"hairink": "#e6c36a"}, "ginger": {"hairink": "#c5602b"}, "redhead": {"hairink": "#b5482a", "hair": "long"}, "red-haired": {"hairink": "#b5482a"}, "brunette": {"hairink": "#4a2c1a", "hair": "long"},
    "curly": {"hair": "curly"}, "ponytail": {"hair": "tail"}, "braids": {"hair": "tail"}, "muscular": {"broad": "1.35"}, "strong": {"broad": "1.3"}, "fat": {"broad": "1.4", "depth": "38"}, "chubby": {"broad": "1.35", "depth": "36"}, "thin": {"broad": "0.85", "depth": "20"}, "slim": {"broad": "0.85"},
    "fluffy": {"coat": "wool"}, "furry": {"coat": "wool"}, "woolly": {"coat": "wool"}, "spotted": {"coat": "spots"}, "striped": {"coat": "stripes"}, "freckles": {"blush": "1"},
    "african": {"skin": "#6b4530"}, "black-skinned": {"skin": "#5b3a28"}, "indian": {"skin": "#a8714a"}, "tanned": {"skin": "#b98258"}, "pale": {"skin": "#f4dccb"},
    "crowned": {"hat": "crown"}, "masked": {"glasses": "dark"}, "hooded": {"hat": "hood"}, "winged": {"wings": "1"}, "armored": {"dress": "armour", "cloth": "steel", "hat": "helmet"}, "armoured": {"dress": "armour", "cloth": "steel", "hat": "helmet"},
}  # fmt: skip
# verb → posture of people; and what an animal does: go, sit, sleep, fly, jump
VERBS: dict[str, tuple[str, str]] = {
    word: (pose, deed)
    for words, pose, deed in (
        (
            "standing, leaning, fighting, wearing nothing, posing, waiting, stands, staring, looking, gazing, watching, looks",
            "stand",
            "stand",
        ),
        (
            "walking, strolling, hiking, walks, wandering, marching, trotting, crossing, exploring, camina, spaziert",
            "walk",
            "go",
        ),
        (
            "running, jogging, racing, chasing, runs, galloping, sprinting, charging, corriendo, correndo, corre, court, läuft, rennt, driving, drives, speeding, fighting, leaning, drifting, cruising, riding fast",
            "run",
            "go",
        ),
        (
            "sitting, seated, sits, resting, relaxing, sentado, assis, sitzt, sitting down, perched, perching, driver",
            "sit",
            "sit",
        ),
        ("dancing, dances, partying, breakdancing, twirling, bailando, danse, tanzt, 踊る, танцует", "dance", "jump"),
        (
            "jumping, leaping, jumps, hopping, bouncing, dunking, saltando, skiing, snowboarding, diving, climbing",
            "jump",
            "jump",
        ),
        ("waving, greeting, hailing, hello", "wave", "stand"),
        ("celebrating, cheering, victory, winning, stretching", "arms up", "jump"),
        (
            "reading, studying, reads, leyendo, lit, liest, typing, writing, painting a picture, working, coding, drawing a picture",
            "read",
            "sit",
        ),
        ("meditating, yoga, praying mantis, meditation", "meditate", "sit"),
        ("praying, bowing", "pray", "sit"),
        (
            "flying, floating, soaring, hovering, flies, gliding, levitating, volando, vole, fliegt, flight",
            "fly",
            "fly",
        ),
        ("kicking, karate, kickboxing, battling, boxing", "kick", "go"),
        ("playing, performing, strumming, jugando, spielt, joue", "play", "jump"),
        ("singing, speaking, talking, presenting, giving a speech", "hold", "stand"),
        (
            "sleeping, asleep, napping, dreaming, sleeps, lying, curled up, snoozing, durmiendo, dort, schläft, 寝る, 眠る",
            "meditate",
            "sleep",
        ),
        ("eating, drinking, cooking, baking, having breakfast, having tea, sipping, eats, comiendo", "hold", "stand"),
        ("swimming, snorkeling, surfing", "fly", "swim"),
        ("holding, carrying, showing, offering, holds", "hold", "stand"),
        ("riding, rides, montando", "ride", "sit"),
    )
    for word in (each.strip() for each in words.split(","))
}
RELATIONS: dict[str, str] = {
    "on": "on", "on top of": "on", "atop": "on", "upon": "on", "riding": "on", "rides": "on", "riding on": "on", "sitting on": "on", "standing on": "on", "in": "in", "inside": "in", "inside of": "in", "into": "in", "under": "under",
    "beneath": "under", "below": "under", "underneath": "under", "beside": "beside", "next to": "beside", "with": "beside", "near": "beside", "by": "beside", "and": "beside", "alongside": "beside", "in front of": "before",
    "before": "before", "behind": "behind", "holding": "holding", "carrying": "holding", "holds": "holding", "playing": "holding", "eating": "holding", "drinking": "holding", "reading": "holding", "wearing": "wearing", "wears": "wearing", "over": "over",
    "above": "over", "flying over": "over", "looking at": "beside", "chasing": "beside", "sur": "on", "en": "on", "sobre": "on", "auf": "on", "su": "on", "playing with": "beside", "of": "", "surrounded by": "beside", "filled with": "in front", "against": "beside",
    "full of": "beside", "fighting": "beside", "leaning on": "beside", "through": "beside", "around": "beside", "dressed as": "wearing", "using": "holding", "pushing": "beside", "pulling": "beside", "driving": "on", "drives": "on", "walking": "beside", "kicking": "beside", "catching": "beside", "montando": "on", "con": "beside", "mit": "beside", "avec": "beside",
}  # fmt: skip
# garment → what it changes of a person; its colour is that of the cloth (or of the hat)
GARMENTS: dict[str, dict[str, str]] = {
    "dress": {"dress": "dress"}, "gown": {"dress": "gown"}, "kimono": {"dress": "robe"}, "robe": {"dress": "robe"}, "skirt": {"dress": "dress"}, "suit": {"dress": "suit"}, "tuxedo": {"dress": "suit", "cloth": "ink", "legs": "ink"},
    "coat": {"dress": "coat"}, "jacket": {"dress": "coat"}, "leather jacket": {"dress": "coat", "cloth": "ink"}, "raincoat": {"dress": "coat", "hat": "hood", "cloth": "yellow"}, "trench coat": {"dress": "coat", "cloth": "tan"}, "hoodie": {"dress": "hoodie"}, "sweater": {"dress": "hoodie"}, "shirt": {"dress": "shirt"}, "t-shirt": {"dress": "shirt"}, "uniform": {"dress": "coat"},
    "armor": {"dress": "armour", "cloth": "steel"}, "armour": {"dress": "armour", "cloth": "steel"}, "spacesuit": {"dress": "space", "cloth": "white", "legs": "white"}, "space suit": {"dress": "space", "cloth": "white", "legs": "white"}, "cape": {"cape": "1"}, "cloak": {"cape": "1", "hat": "hood"},
    "hat": {"hat": "brim"}, "cowboy hat": {"hat": "brim"}, "top hat": {"hat": "top"}, "cap": {"hat": "cap"}, "baseball cap": {"hat": "cap"}, "beanie": {"hat": "beanie"}, "crown": {"hat": "crown"}, "wizard hat": {"hat": "wizard"}, "helmet": {"hat": "helmet"}, "hood": {"hat": "hood"}, "veil": {"hat": "veil"}, "hijab": {"hat": "veil"}, "turban": {"hat": "beanie"}, "flower crown": {"hat": "flowers"}, "santa hat": {"hat": "santa"}, "headphones": {"hat": "headphones"}, "chef hat": {"hat": "chef"},
    "glasses": {"glasses": "clear"}, "sunglasses": {"glasses": "dark"}, "goggles": {"glasses": "clear"}, "mask": {"glasses": "dark"}, "apron": {"dress": "apron"}, "scarf": {"hat": "hood"}, "wings": {"wings": "1"}, "horns": {"hat": "horns"}, "pirate hat": {"hat": "pirate"},
}  # fmt: skip
HATS = frozenset(
    word for word, change in GARMENTS.items() if "hat" in change and "dress" not in change and "cape" not in change
)
# words of sets: what stands behind where the painter's places do not
SETS: dict[str, str] = {
    word: name
    for name, words in {
        "table": "table, wooden table, tabletop, table top, desk, counter, kitchen counter, cutting board, cafe, café, restaurant, bakery counter, picnic, tavern, mesa, tisch, marble table, on a plate, dinner table, diner, coffee shop, bar",
        "backdrop": "studio, backdrop, white background, plain background, studio background, black background, grey background, gray background, solid background, blue background, pink background, yellow background, green background, red background, isolated, gradient background, simple background, studio lighting, studio light, softbox, dark background, neutral background, purple background, orange background, portrait studio",
        "plinth": "podium, pedestal, plinth, product, product shot, product photo, product photography, advertisement, packshot, showcase, museum, gallery, luxury display, commercial photography",
        "room": "room, living room, bedroom, interior, indoors, indoor, window, home office, office, classroom, house interior, apartment, loft, bathroom, nursery, studio apartment, hotel room, hall, gym, hospital room, laboratory, lab, workshop, garage, ballroom, attic, by the fireplace, windowsill",
        "library": "library, bookshop, bookstore, study room, biblioteca, bibliothèque, bibliothek, 図書館",
        "kitchen": "kitchen, cocina, cuisine, küche, cucina, кухня, 台所",
        "underwater": "underwater, under the sea, under water, coral reef, reef, aquarium, ocean floor, seabed, deep sea, bajo el agua, atlantis, fish tank, fishbowl",
        "moon": "on the moon, moon surface, lunar, lunar surface, surface of the moon, crater, en la luna, sur la lune, auf dem mond, asteroid, alien planet",
        "mars": "mars, on mars, red planet, martian",
        "stage": "stage, concert, theatre, theater, circus, spotlight, on stage, concert stage, circus tent, opera, nightclub, club, disco, microphone stand",
        "street": "street, sidewalk, crosswalk, market, street market, alley, road junction, town, town square, village, shopping street, traffic, parking lot, city street, old town, plaza",
        "park": "park, garden, playground, backyard, lawn, farm, farmyard, orchard, zoo, stadium, football field, soccer field, court, basketball court, tennis court, race track, campground, camp",
        "branch": "branch, on a branch, tree branch, twig, birdhouse, nest",
        "wall": "wall, brick wall, against a wall, graffiti wall, graffiti, concrete wall",
        "sky": "in the sky, through the clouds, above the clouds, sky, in flight",
    }.items()
    for word in (each.strip() for each in words.split(","))
}  # fmt: skip
# what it does to the whole picture, and how that is told
MOODS_OF_LIGHT: dict[str, tuple[str, str]] = {
    word: (effect, told)
    for words, effect, told in (
        ("bokeh, depth of field, shallow depth of field, blurred background, blurry background, out of focus, dof, sparkles, sparkling, glitter, magical, magic, enchanted, fireflies, dreamlike, whimsical, mystical, fairy tale, fairytale", "bokeh", "discs of light behind"),
        ("dramatic lighting, dramatic light, dramatic, moody lighting, low key, chiaroscuro, rim light, rim lighting, backlit, backlight, volumetric lighting, volumetric light, moody, mysterious, eerie, spooky, ominous, dark fantasy, gothic, horror, scary, haunted, creepy, dystopian, gritty, dark", "dark", "dark surroundings, lit in the middle"),
        ("soft light, soft lighting, natural light, natural lighting, warm light, warm lighting, cozy, cosy, warm, candlelit, cinematic lighting, window light, golden, morning light, ambient light, homely, hygge, festive, christmas, romantic, inviting", "warm", "warm light"),
        ("cold light, cool light, futuristic, sci-fi, scifi, science fiction, high tech, holographic, cyber, blue light, robotic, technological, cold, frosty", "cold", "cold light"),
        ("silhouette, silhouettes, shadow puppet", "silhouette", "figures in black"),
        ("sticker, stickers, sticker design, die cut, emoji", "sticker", "a white border"),
        ("glowing, neon light, neon lights, luminous, bioluminescent, radiant, shining, shiny, fluorescent", "glow", "a glow around the figures"),
        ("vintage style, retro, art deco, 1950s, 1960s, 1970s, 1980s, 50s, 60s, 70s, 80s, old-fashioned, rustic, steampunk, victorian, antique, medieval, ancient, weathered", "retro", "faded colours"),
        ("cute, adorable, kawaii, chibi, lovable, sweet", "cute", "larger heads, rosy light"),
        ("pattern, patterned, seamless pattern, ornate, intricate, intricate details, highly detailed, detailed, ultra detailed, decorative, elegant, mandala, baroque, art nouveau, filigree, luxurious, luxury, intricately", "ornate", "ornaments in the paper"),
        ("cartoon, comic, comic book, anime, manga, illustration, flat illustration, clipart, clip art, childrens book illustration, children's book illustration, storybook, disney style, pixar, pixar style, studio ghibli, ghibli, paper craft, papercraft, origami, paper art, collage, cutout, pop art, vector art, graphic design, digital art, digital painting, digital illustration, concept art", "cartoon", "bold paper outlines"),
        ("close-up portrait, macro, extreme close-up, close-up, close up shot, macro photography, macro shot, detail shot, closeup shot, headshot", "near", "seen from near"),
        ("from a distance, far away, wide shot, establishing shot, long shot, full body, full-body, full body shot, full length", "far", "seen whole, from farther off"),
        ("confetti, celebration, party, carnival, birthday, festival, new year, happy birthday, fiesta", "confetti", "confetti"),
        ("symmetrical, symmetry, centered, centred, symmetric", "centred", "in the middle"),
        ("colorful background, rainbow, rainbows, rainbow colors, rainbow colours, multicolored, psychedelic colors, multicoloured", "rainbow", "a rainbow"),
        ("fire, flames, burning, on fire, explosion, exploding, lava, blazing", "fire", "flames"),
    )
    for word in (each.strip() for each in words.split(","))
}  # fmt: skip
BUST_WORDS = frozenset(
    {
        "portrait",
        "headshot",
        "selfie",
        "face",
        "bust",
        "profile picture",
        "avatar",
        "passport photo",
        "close-up portrait",
        "portrait photo",
        "retrato",
        "porträt",
        "mugshot",
        "closeup portrait",
    }
)
LETTER_WORDS = frozenset(
    {
        "logo",
        "sign",
        "poster",
        "title",
        "text",
        "words",
        "word",
        "lettering",
        "typography",
        "caption",
        "label",
        "banner",
        "billboard",
        "book cover",
        "album cover",
        "movie poster",
        "headline",
        "says",
        "saying",
        "reading",
        "titled",
        "reads",
        "written",
        "called",
        "named",
        "that says",
        "neon sign",
        "business card",
        "t-shirt",
        "cover",
        "badge",
        "emblem",
        "icon",
        "wordmark",
    }
)
PLATES: dict[str, str] = {"logo": "logo", "emblem": "badge", "badge": "badge", "round badge": "badge", "round logo": "badge", "icon": "logo", "wordmark": "logo", "sign": "sign", "billboard": "sign", "street sign": "sign", "neon sign": "neon", "poster": "poster", "movie poster": "poster", "banner": "banner", "book cover": "poster", "album cover": "poster", "magazine cover": "poster", "title": "poster", "business card": "logo", "cover": "poster", "headline": "poster", "flyer": "poster", "greeting card": "poster", "postcard": "poster", "invitation": "poster"}  # fmt: skip
MATERIALS: dict[str, str] = {
    "wooden": "#96643a", "marble": "#e6e4e0", "leather": "#7a4a2c", "brick": "#b0583f", "glass": "#a9d3e2", "metal": "#9aa2ab", "metallic": "#aab2bb", "steel": "#8f99a4", "chrome": "#c3cad1", "bronze": "#a9713c",
    "rusty": "#9c5430", "paper": "#efe6d2", "velvet": "#5b1f3a", "denim": "#4c6a94", "ceramic": "#dfe4e2", "porcelain": "#edf0f2", "granite": "#7d7f84", "concrete": "#98999b", "chocolate": "#4a2a1a", "dark": "#34323a",
    "colorful": "#e0574f", "colourful": "#e0574f", "pastel-colored": "#f0b8c8", "neon": "#e83fa8",
}  # fmt: skip
"""Stuffs, as colours of what is made of them."""
ABROAD: dict[str, str] = {
    "negro": "black", "negra": "black", "blanco": "white", "blanca": "white", "rojo": "red", "roja": "red", "azul": "blue", "verde": "green", "amarillo": "yellow", "amarilla": "yellow",
    "noir": "black", "noire": "black", "blanc": "white", "blanche": "white", "rouge": "red", "bleu": "blue", "bleue": "blue", "vert": "green", "verte": "green", "jaune": "yellow",
    "schwarz": "black", "schwarze": "black", "schwarzer": "black", "weiß": "white", "weiße": "white", "weißer": "white", "rot": "red", "rote": "red", "roter": "red", "rotes": "red", "blau": "blue", "blaue": "blue", "blaues": "blue", "grün": "green", "grüne": "green", "gelb": "yellow", "gelbe": "yellow",
    "rosso": "red", "rossa": "red", "nero": "black", "bianco": "white", "красная": "red", "красный": "red", "чёрный": "black", "черный": "black", "белая": "white", "белый": "white", "синий": "blue", "синяя": "blue", "赤い": "red", "黒い": "black", "白い": "white", "青い": "blue", "红色": "red",
}  # fmt: skip
"""Colours in other languages."""
HAIR_INKS: dict[str, str] = {
    "blonde": "#e6c36a",
    "blond": "#e6c36a",
    "ginger": "#c5602b",
    "brown": "#5a3822",
    "black": "#231c1c",
    "red": "#a93f25",
    "white": "#efece6",
    "grey": "#b3b1ae",
    "gray": "#b3b1ae",
    "silver": "#cfd2d6",
}
EYE_INKS: dict[str, str] = {
    "blue": "#3f7fc0",
    "green": "#4a8f52",
    "brown": "#6b4423",
    "hazel": "#8a6a35",
    "golden": "#d6a52e",
    "grey": "#7f8a94",
    "red": "#b33024",
}

IRREGULAR: dict[str, str] = {
    "men": "man", "women": "woman", "people": "person", "children": "child", "kids": "kid", "mice": "mouse", "wolves": "wolf", "geese": "goose", "knives": "knife",
    "leaves": "leaf", "foxes": "fox", "firemen": "fireman", "gentlemen": "gentleman", "ladies": "lady", "puppies": "puppy", "bunnies": "bunny", "babies": "baby", "ponies": "pony", "fairies": "fairy", "butterflies": "butterfly", "calves": "calf", "oxen": "ox", "gatos": "gato", "perros": "perro", "chats": "chat", "chiens": "chien", "hunde": "hund", "katzen": "katze", "strawberries": "strawberry",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Noun:
    """What a word is shown as."""

    figure: str
    kind: str  # thing, beast, person or icon
    measures: tuple[tuple[str, str], ...] = ()


@functools.cache
def nouns() -> dict[str, Noun]:
    found: dict[str, Noun] = {}
    for kind, table in (("thing", _THINGS), ("beast", _BEASTS), ("person", _PEOPLE)):
        for row in table.strip().splitlines():
            head, _, words = row.partition("|")
            named = head.split()
            first = next((at for at, each in enumerate(named) if "=" in each), len(named))
            measures = tuple(
                (each.partition("=")[0], each.partition("=")[2].replace("+", " ")) for each in named[first:]
            )
            noun = Noun(" ".join(named[:first]), kind, measures)
            for word in words.split(","):
                found.setdefault(word.strip(), noun)
    return found


@functools.cache
def icon_nouns() -> dict[str, Noun]:
    """Words that only the extra's shapes show."""
    found: dict[str, Noun] = {}
    for each in _ICONS.replace("\n", " ").split(","):
        name, _, word = each.strip().partition("=")
        word = word or name.replace("-", " ")
        if word not in nouns():
            found.setdefault(word, Noun(name.replace("-", "_"), "icon"))
    return found


def singular(word: str) -> list[str]:
    """What a plural may be the plural of."""
    found = [IRREGULAR[word]] if word in IRREGULAR else []
    if word.endswith("ies"):
        found.append(word[:-3] + "y")
    if word.endswith("ves"):
        found += [word[:-3] + "f", word[:-3] + "fe"]
    if word.endswith("es"):
        found.append(word[:-2])
    if word.endswith("s") and not word.endswith("ss"):
        found.append(word[:-1])
    return found
